import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config';
import { ConfiguredRateLimits } from '../../core/rate-limit';
import { Recent } from './recent';

export interface LimitAccount {
  readonly limit: number;
  /** Most that any whole second of the last ones admitted. */
  readonly admitted: number;
  readonly refused: number;
  readonly slowestMs: number;
  /** Admitted no more than the limit, in the worst second, and something. */
  readonly held: boolean;
  /** Decided in the process: nobody waited for a database. */
  readonly quick: boolean;
}

const SPAN_MS = 4_000;
const EVERY_MS = 20;
/** Times 50 in a second: more than twice the limit. */
const AT_ONCE = 5;
/** A second here and a window there do not begin together; the benchmark of the limiter measures the rest. */
const TOLERANCE = 1.2;
/** Far above what it takes, below what a connection's limit is: a busy machine may hold a process up. */
const QUICK_MS = 1_000;

/** Asks for more than a limit over all processes gives, all the time. */
export class LimitScene {
  private readonly decisions = new Recent<{
    readonly second: number;
    readonly allowed: boolean;
    readonly ms: number;
  }>(SPAN_MS);
  private limit = 0;
  private stopped = false;

  private constructor(
    private readonly limits: ConfiguredRateLimits,
    private readonly tenant: string,
  ) {}

  static async start(config: Config, tenant: string): Promise<LimitScene> {
    const limits = await ConfiguredRateLimits.start(config, { onError: () => undefined });
    const scene = new LimitScene(limits, tenant);
    void scene.run();
    return scene;
  }

  account(): LimitAccount {
    const decisions = this.decisions.values();
    const bySecond = new Map<number, number>();
    for (const { second, allowed } of decisions)
      if (allowed) bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
    const admitted = Math.max(0, ...bySecond.values());
    const slowestMs = Math.round(Math.max(0, ...decisions.map(({ ms }) => ms)));
    return {
      limit: this.limit,
      admitted,
      refused: decisions.filter(({ allowed }) => !allowed).length,
      slowestMs,
      quick: decisions.length > 0 && slowestMs <= QUICK_MS,
      held: admitted > 0 && admitted <= this.limit * TOLERANCE,
    };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.limits.close();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      for (let n = 0; n < AT_ONCE; n += 1) void this.askOnce();
      await sleep(EVERY_MS);
    }
  }

  private async askOnce(): Promise<void> {
    const begun = performance.now();
    const decision = await this.limits.limiter.checkRateLimit(this.tenant, 'office').catch(() => undefined);
    if (decision === undefined) return;
    this.limit = decision.limit;
    const ended = performance.now();
    this.decisions.add({ second: Math.floor(ended / 1_000), allowed: decision.allowed, ms: ended - begun });
  }
}
