import type { z } from 'zod';
import { messageOf } from '../../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, EndCall } from '../driver';
import { acceptsConnections } from './accepts-connections';
import { restartToxiproxy, toxiproxyProcess } from './restart-toxiproxy';
import { FAULT_PREFIX, restoreProxies, type SavedProxies, savedProxies, saveProxies } from './saved-proxies';
import { type ProxyDefinition, ToxiproxyApi } from './toxiproxy-api';

export interface ToxicKind<P extends object> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: z.ZodType<P>;
  /** Toxiproxy's type and attributes for the parameters. */
  toxic(parameters: P): {
    readonly type: string;
    readonly stream: 'upstream' | 'downstream';
    readonly toxicity: number;
    readonly attributes: Readonly<Record<string, unknown>>;
  };
}

/** A fault that is one toxic of one proxy, named after its lease. */
export function toxicDriver<P extends object>(kind: ToxicKind<P>): AnyDriver {
  return defineDriver<'toxiproxy', P, SavedProxies>({
    name: kind.name,
    targetKind: 'toxiproxy',
    summary: kind.summary,
    parameters: kind.parameters,
    saved: savedProxies,
    // Toxiproxy keeps nothing on disk; its proxies are gone as well, and the reaper recreates them.
    afterPowerLoss: 'stays',
    boundedBy: 'the reaper',
    prepare: ({ target, others, signal }) =>
      saveProxies(target, new ToxiproxyApi(target.url, signal), others),
    inject: async ({ leaseId, target, parameters, signal }) => {
      const toxic = { name: toxicName(leaseId), ...kind.toxic(parameters) };
      await new ToxiproxyApi(target.url, signal).addToxic(target.proxy, toxic);
    },
    remove: ({ leaseId, ...call }) =>
      changeBack(call, (api, proxy) => api.removeToxic(proxy, toxicName(leaseId))),
    isThere: async ({ leaseId, ...call }) => {
      const proxy = await whole(call);
      if (proxy === undefined || proxy.toxics.some(({ name }) => name === toxicName(leaseId))) return true;
      return proxy.enabled && !(await acceptsConnections(proxy.listen));
    },
  });
}

type End = Pick<EndCall<'toxiproxy', unknown, SavedProxies>, 'target' | 'saved' | 'signal'>;

/**
 * The proxy, when Toxiproxy has all that it had: one that is missing is a target that is down, and who has restarted Toxiproxy
 * for one proxy has taken the others away.
 */
export async function whole({ target, saved, signal }: End): Promise<ProxyDefinition | undefined> {
  const there = await new ToxiproxyApi(target.url, signal).proxies();
  const missing = saved?.proxies.some(({ name }) => !there.has(name)) ?? false;
  return missing ? undefined : there.get(target.proxy);
}

/** The inverse, with the ways around a Toxiproxy that hangs, was killed, or has forgotten its proxies. */
export async function changeBack(
  { target, saved, signal }: End,
  inverse: (api: ToxiproxyApi, proxy: string) => Promise<void>,
): Promise<void> {
  const api = new ToxiproxyApi(target.url, signal);
  const asked = await toxiproxyProcess(target);
  try {
    if ((await api.proxies()).has(target.proxy)) await inverse(api, target.proxy);
  } catch (error) {
    if (signal.aborted) throw error;
    await restartToxiproxy(target, asked, signal).catch((cause: unknown) => {
      throw new Error(`${messageOf(error)}; ${messageOf(cause)}`, { cause });
    });
  }
  if (saved !== undefined) await restoreProxies(api, saved);
}

function toxicName(leaseId: string): string {
  return `${FAULT_PREFIX}${leaseId}`;
}
