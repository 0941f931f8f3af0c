import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaxRates } from '../accubooks';
import { Recent } from './recent';

export interface TaxAccount {
  readonly breaker: string;
  readonly asked: number;
  readonly failed: number;
  /** By the level of the fallback that answered; `primary` is the service itself. */
  readonly answeredBy: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** The breaker lets no call pass, or only probes. */
  readonly opened: boolean;
  /** Every question had an answer … */
  readonly answered: boolean;
  /** … none took much longer than the limits of both services … */
  readonly bounded: boolean;
  /** … and some came from elsewhere than the service. */
  readonly stoodIn: boolean;
}

const SPAN_MS = 3_000;
const EVERY_MS = 50;
/** A busy machine runs a timer late. */
const SLACK_MS = 1_000;
/** What the office lets a question take at most, with all its tries. */
const TAX_LIMIT_MS = 800;

/** Asks the outside service all the time, as every invoice does. */
export class TaxScene {
  private readonly answers = new Recent<{ readonly level: string; readonly ms: number }>(SPAN_MS);
  private readonly rates: TaxRates;
  private stopped = false;

  private constructor(
    private readonly second: Server,
    private readonly tenant: string,
    url: string,
    secondUrl: string,
  ) {
    this.rates = new TaxRates({
      url,
      secondUrl,
      limit: TAX_LIMIT_MS,
      breaker: { consecutiveFailures: 5, breakFor: '1s', breakLimit: '2s', closeOver: '1s' },
    });
  }

  /** Begins. @param url of the service; the second one is in this process */
  static async start(url: string, tenant: string): Promise<TaxScene> {
    const second = createServer((_, response) => response.end('{"percent": 19}'));
    await new Promise<void>((resolve) => second.listen(0, '127.0.0.1', resolve));
    const address = second.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const scene = new TaxScene(second, tenant, url, `http://127.0.0.1:${port}/rate`);
    void scene.run();
    return scene;
  }

  account(): TaxAccount {
    const answers = this.answers.values();
    const answeredBy: Record<string, number> = {};
    for (const { level } of answers) answeredBy[level] = (answeredBy[level] ?? 0) + 1;
    const { failed = 0, ...others } = answeredBy;
    const key = { service: 'tax', operation: 'rate', tenant: this.tenant };
    const breaker = this.rates.breakers.get(key).getState().state.kind;
    const slowestMs = Math.round(Math.max(0, ...answers.map(({ ms }) => ms)));
    return {
      ...{ breaker, asked: answers.length, failed, answeredBy: others, slowestMs },
      opened: breaker === 'open' || breaker === 'half-open',
      answered: answers.length > 0 && failed === 0,
      bounded: slowestMs <= 2 * TAX_LIMIT_MS + SLACK_MS,
      stoodIn: Object.keys(others).some((level) => level !== 'primary'),
    };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.second.closeAllConnections();
    await new Promise((resolve) => this.second.close(resolve));
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      void this.askOnce();
      await sleep(EVERY_MS);
    }
  }

  private async askOnce(): Promise<void> {
    const begun = performance.now();
    const level = await this.rates.percentFor(this.tenant, 'DE').then(
      (answer) => answer.level,
      () => 'failed',
    );
    this.answers.add({ level, ms: performance.now() - begun });
  }
}
