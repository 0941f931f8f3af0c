import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ConnectionSettings } from '../../../database';
import { errorListener } from '../../errors';
import { positiveMs } from '../positive-ms';
import type { GlobalMeter } from './global-meter.pure';
import { type Asked, LeaseClient, type Statement } from './lease-client.pure';
import { LeaseStore } from './lease-store';
import { LeasedKey } from './leased-key';
import type { GlobalLimits, LeasedMeter } from './leased-meter';
import type { GlobalRule } from './slots.pure';

export interface GlobalRateLimitsOptions {
  /** The control-plane database. */
  readonly connection: ConnectionSettings;
  /** Longest wait for an answer of the database, in milliseconds; default 400. */
  readonly timeoutMs?: number;
  /** Longest wait of a request for a lease, in milliseconds; default 250. */
  readonly maxWaitMs?: number;
  /** What goes wrong in the background: the database away, a sweep that failed. */
  readonly onError?: (error: unknown) => void;
}

export interface LeaseStatistics {
  /** Statements that asked for tokens. */
  readonly leases: number;
  /** All statements, heartbeats and probes among them. */
  readonly statements: number;
  readonly failures: number;
  readonly lost: boolean;
}

const NOBODY = { cost: 0, next: 0 };
const TICK_MS = 20;
/** Requests that wait are looked at this soon. */
const SOON_MS = 2;
const SWEEP_EVERY_MS = 15_000;
/** A key that nobody asks for is put aside after this, or after its window where that is longer. */
const IDLE_MS = 60_000;

/**
 * One limit over all processes: tokens are leased from the control-plane database in batches (README.md has the promise).
 *
 * @example
 * const global = new GlobalRateLimits({ connection: config.platform.database });
 * const limiter = new AdaptiveRateLimiter({
 *   rule: { kind: 'fixed-window', limit: 1_000, window: '1s', global: { localShare: 0.25 } },
 *   global,
 * });
 * // at the end: await global.close();
 */
export class GlobalRateLimits implements GlobalLimits {
  private readonly report: (error: unknown) => void;
  private readonly client: LeaseClient;
  private readonly store: LeaseStore;
  private readonly active = new Map<GlobalMeter, LeasedKey>();
  private readonly byKey = new Map<string, LeasedKey>();
  private readonly under = new Set<Promise<void>>();
  private readonly timeoutMs: number;
  private readonly maxWaitMs: number;
  private readonly ticker: NodeJS.Timeout;
  private soon: NodeJS.Timeout | undefined;
  private sweptAt: number;
  private leases = 0;
  private statements = 0;
  private failures = 0;

  constructor(options: GlobalRateLimitsOptions) {
    this.report = errorListener('GlobalRateLimits', options.onError);
    this.timeoutMs = positiveMs('timeoutMs', options.timeoutMs ?? 400);
    this.maxWaitMs = positiveMs('maxWaitMs', options.maxWaitMs ?? 250);
    this.client = new LeaseClient(this.timeoutMs);
    this.store = new LeaseStore(options.connection, randomUUID(), this.timeoutMs);
    // Not all at once: processes that were started together sweep one after the other.
    this.sweptAt = performance.now() - Math.random() * SWEEP_EVERY_MS;
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.ticker.unref();
  }

  meter(key: string, rule: GlobalRule): LeasedMeter {
    const known = this.byKey.get(key);
    // Asked for again, such as after its tenant was forgotten: what it has admitted by its own share still counts.
    if (known !== undefined && isDeepStrictEqual(known.meter.rule, rule)) return known;
    const meter = this.client.meter(key, rule);
    const leased = new LeasedKey(
      meter,
      () => performance.now(),
      this.maxWaitMs,
      (one) => this.wake(one),
    );
    this.byKey.set(key, leased);
    return leased;
  }

  statistics(): LeaseStatistics {
    const { leases, statements, failures } = this;
    return { leases, statements, failures, lost: this.client.contact.lost };
  }

  /** Gives the process's place back. Requests that wait are decided as if the time to wait were over. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    clearTimeout(this.soon);
    for (const key of this.active.values()) key.settle(Number.MAX_SAFE_INTEGER);
    await Promise.all(this.under);
    if (!this.client.contact.lost) await this.store.leave().catch(this.report);
    await this.store.close();
  }

  private wake(key: LeasedKey): void {
    this.active.set(key.meter, key);
    this.client.activate(key.meter);
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      this.tick();
    }, SOON_MS);
  }

  private tick(): void {
    const now = performance.now();
    for (const key of this.active.values()) {
      key.settle(now);
      if (key.waiting.cost > 0) this.wake(key);
      else if (now - key.usedAt > Math.max(IDLE_MS, key.meter.rule.window)) this.putAside(key);
    }
    for (const statement of this.client.due(now, (meter) => this.active.get(meter)?.waiting ?? NOBODY))
      this.background(this.ask(statement));
    if (now - this.sweptAt >= SWEEP_EVERY_MS && !this.client.contact.lost && this.client.clock.known) {
      this.sweptAt = now;
      this.background(this.store.sweep());
    }
  }

  private putAside(key: LeasedKey): void {
    this.active.delete(key.meter);
    this.client.deactivate(key.meter);
    if (this.byKey.get(key.meter.key) === key) this.byKey.delete(key.meter.key);
  }

  private async ask(statement: Statement): Promise<void> {
    const asked = this.client.send(statement, performance.now());
    this.statements += 1;
    let next: Statement | undefined;
    try {
      next = await this.carryOut(asked);
    } catch (error) {
      this.failures += 1;
      this.client.failed(asked);
      this.report(error);
    }
    const now = performance.now();
    for (const key of this.active.values()) key.settle(now);
    if (next !== undefined) await this.ask(next);
  }

  /** @returns what has to be asked next. */
  private async carryOut(asked: Asked): Promise<Statement | undefined> {
    const { statement, deadline } = asked;
    switch (statement.kind) {
      case 'probe': {
        const at = await this.store.probe();
        return this.client.probed(asked, performance.now(), at);
      }
      case 'heartbeat': {
        const seen = await this.store.heartbeat(deadline, statement.rejoin);
        this.client.beat(asked, statement.rejoin, performance.now(), seen);
        return undefined;
      }
      case 'lease': {
        const { meter, wish } = statement;
        this.leases += 1;
        const { limit, holder, rule } = meter;
        const of = { key: rowKey(meter), limit, slots: holder.slots, share: rule.localShare };
        const grant = await this.store.lease(of, wish, deadline);
        this.client.leased(asked, meter, wish, performance.now(), grant);
        return undefined;
      }
    }
  }

  /** Runs beside everything else; close() waits for it, and nothing it does can be an unhandled rejection. */
  private background(work: Promise<void>): void {
    const settled: Promise<void> = work.catch(this.report).finally(() => this.under.delete(settled));
    this.under.add(settled);
  }
}

/**
 * Version 0.1 cut sliding windows into longer slots. While both versions run each would count what the other was granted as new,
 * again and again, and nobody would be admitted any more: so they have rows of their own.
 */
function rowKey({ key, rule }: GlobalMeter): string {
  return rule.kind === 'sliding-window' ? `${key}/slots` : key;
}
