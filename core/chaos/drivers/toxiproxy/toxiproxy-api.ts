import { z } from 'zod';
import { withTimeLimit } from '../../../time-limit';

const toxic = z.object({
  name: z.string(),
  type: z.string(),
  stream: z.string(),
  toxicity: z.number(),
  attributes: z.record(z.string(), z.unknown()),
});

export const proxyDefinition = z.object({
  name: z.string(),
  listen: z.string(),
  upstream: z.string(),
  enabled: z.boolean(),
  toxics: z.array(toxic),
});

export type ProxyDefinition = z.output<typeof proxyDefinition>;
export type ToxicDefinition = z.output<typeof toxic>;

/**
 * Removing a toxic can hang in Toxiproxy for as long as a connection is stuck; then it is restarted instead, with all the connections
 * that it has. Both have to fit into the 8 s of one attempt (core/chaos/attempt-end.ts); what stands still together with this process
 * does not hang, and its time is not counted.
 */
const ANSWER_LIMIT_MS = 2_000;

/** Toxiproxy's HTTP API, as far as faults need it. Source: https://github.com/Shopify/toxiproxy#http-api */
export class ToxiproxyApi {
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  async proxies(): Promise<ReadonlyMap<string, ProxyDefinition>> {
    const all = z.record(z.string(), proxyDefinition).parse(await this.call('GET', '/proxies'));
    return new Map(Object.entries(all));
  }

  async create({ name, listen, upstream, enabled }: Omit<ProxyDefinition, 'toxics'>): Promise<void> {
    // 409: somebody else has just recreated it.
    await this.call('POST', '/proxies', { name, listen, upstream, enabled }, [409]);
  }

  async setEnabled(proxy: string, enabled: boolean): Promise<void> {
    await this.call('POST', `/proxies/${encodeURIComponent(proxy)}`, { enabled });
  }

  async addToxic(proxy: string, definition: ToxicDefinition): Promise<void> {
    await this.call('POST', `/proxies/${encodeURIComponent(proxy)}/toxics`, definition, [409]);
  }

  async removeToxic(proxy: string, name: string): Promise<void> {
    const path = `/proxies/${encodeURIComponent(proxy)}/toxics/${encodeURIComponent(name)}`;
    await this.call('DELETE', path, undefined, [404]);
  }

  private async call(
    method: string,
    path: string,
    body?: unknown,
    fine: readonly number[] = [],
  ): Promise<unknown> {
    const response = await fetch(`${this.url.replace(/\/$/, '')}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: withTimeLimit(this.signal, ANSWER_LIMIT_MS),
      redirect: 'error',
    });
    const text = await response.text();
    if (!response.ok && !fine.includes(response.status))
      throw new Error(
        `Toxiproxy answered ${method} ${path} with status ${response.status}: ${text.slice(0, 200)}`,
      );
    return text === '' ? undefined : JSON.parse(text);
  }
}
