import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool, PoolClient } from 'pg';
import type { z } from 'zod';
import { sharedBreakerOptions } from '../../../config';
import type { BreakerKey, BreakerRegistry, KeyedBreaker } from '../breaker';
import { breakMs } from '../breaker/transition.pure';
import { monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import { inBoundedTransaction } from './bounded-transaction';
import { decideByHand } from './decide';
import { exchange, type Findings } from './exchange';
import { canBeShared, keyText, type SharedState, type Vote } from './shared-state';
import { sweep } from './sweep';
import { leave } from './votes';

export type SharedBreakerOptions = z.input<typeof sharedBreakerOptions> & {
  /** Told when a round fails, once until one succeeds again, and when one does. */
  readonly onReach?: (reach: { readonly reachable: boolean; readonly error?: unknown }) => void;
};

/** Votes of one round; more follow in the next one. */
const MOST_VOTES = 1_000;
const SWEEP_EVERY = 30;
/** While the database is away it is asked less and less often, up to this. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Lets processes share what their breakers see, through the control-plane database. A process that opens a breaker by
 * its own rules votes; when enough processes do, it is opened for all. Whoever finds that it works again closes it for
 * all: then every process probes at once instead of waiting out the break.
 *
 * No call ever waits for this. Without the database every breaker goes on deciding by what its own process sees.
 */
export class SharedBreakers {
  /** Host, process and a random part: a restarted process is another observer. */
  readonly observer = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  private readonly options: z.output<typeof sharedBreakerOptions>;
  private readonly onReach: SharedBreakerOptions['onReach'];
  /** Keys that this process has a vote for in the database, as far as it knows. */
  private cast = new Map<string, BreakerKey>();
  /** What holds for everybody and is not closed, as last heard. */
  private inForce = new Map<string, SharedState>();
  /** Ends leased isolations here on time, also while the database is away. */
  private readonly leases = new Map<string, NodeJS.Timeout>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failures = 0;
  private rounds = 0;
  private heardAt = Number.NEGATIVE_INFINITY;

  /** @throws InvalidInputError naming the option */
  constructor(
    private readonly pool: Pool,
    private readonly registry: BreakerRegistry,
    { onReach, ...options }: SharedBreakerOptions = {},
  ) {
    this.options = parseOptions(sharedBreakerOptions, options, 'SharedBreakers');
    this.onReach = onReach;
  }

  /** Begins to exchange; returns at once. The timer does not keep the process alive. */
  start(): void {
    this.schedule(0);
  }

  /** Ends the exchange and takes this process's votes out, if the database answers in a moment; else they lapse. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const lease of this.leases.values()) clearTimeout(lease);
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 2 * this.options.statementLimit);
    });
    const left = this.running.then(() => this.inTransaction((db) => leave(db, this.observer)));
    await Promise.race([left.catch(() => undefined), limit]);
    clearTimeout(timer);
  }

  /** Milliseconds since the last successful round; Infinity before the first. */
  get silentForMs(): number {
    return monotonicMs() - this.heardAt;
  }

  /** Lets nothing pass anywhere, within an interval, until `release`. */
  isolate(key: BreakerKey, why: string, by: string): Promise<void> {
    return this.inTransaction((db) => decideByHand(db, key, 'isolated', { why, by }));
  }

  /** Lets everything pass everywhere until `release`. */
  forceClose(key: BreakerKey, why: string, by: string): Promise<void> {
    return this.inTransaction((db) => decideByHand(db, key, 'forced-closed', { why, by }));
  }

  release(key: BreakerKey, why: string, by: string): Promise<void> {
    return this.inTransaction((db) => decideByHand(db, key, 'closed', { why, by }));
  }

  /** One exchange. @throws what the database answers; nothing that is decided locally depends on it */
  async round(): Promise<void> {
    const votes = this.votes();
    const findings: Findings = {
      votes,
      withdrawn: this.withdrawn(votes),
      recovered: this.recovered(),
      told: [...this.inForce.values()].map(({ key }) => key),
    };
    const states = await this.inTransaction(async (db) => {
      if (this.rounds % SWEEP_EVERY === 0) await sweep(db, this.options.lease);
      return exchange(
        db,
        { observer: this.observer, leaseMs: this.options.lease, ...this.options },
        findings,
      );
    });
    this.rounds += 1;
    this.cast = new Map(votes.map(({ key }) => [keyText(key), key]));
    this.follow(states);
  }

  /** Does here what holds for everybody. */
  private follow(states: readonly SharedState[]): void {
    const now = new Map(states.map((state) => [keyText(state.key), state]));
    for (const [text, before] of this.inForce) {
      // Swept away, so it is over.
      if (!now.has(text))
        this.apply({ ...before, state: 'closed', generation: before.generation + 1 }, before);
    }
    for (const [text, state] of now) {
      this.apply(state, this.inForce.get(text));
      this.watchLease(text, state);
    }
    this.inForce = new Map([...now].filter(([, { state }]) => state !== 'closed'));
  }

  /** A renewal that is not heard of is none: the isolation ends here when the lease that was heard of is over. */
  private watchLease(text: string, { key, state, timed, remainingMs }: SharedState): void {
    clearTimeout(this.leases.get(text));
    this.leases.delete(text);
    if (state !== 'isolated' || !timed || this.stopped) return;
    const lease = setTimeout(
      () => {
        this.leases.delete(text);
        // Forgotten, so that a renewal that is heard of later isolates it again.
        this.inForce.delete(text);
        this.registry.peek(key)?.release();
      },
      Math.max(0, remainingMs),
    );
    lease.unref();
    this.leases.set(text, lease);
  }

  private schedule(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.tick();
    }, ms);
    this.timer.unref();
  }

  private async tick(): Promise<void> {
    try {
      await this.round();
      if (this.failures > 0) this.onReach?.({ reachable: true });
      this.failures = 0;
      this.heardAt = monotonicMs();
    } catch (error) {
      if (this.failures === 0) this.onReach?.({ reachable: false, error });
      this.failures += 1;
    }
    this.schedule(Math.min(LONGEST_PAUSE_MS, this.options.interval * 2 ** Math.min(this.failures, 10)));
  }

  /** What is open here by this process's own finding: what others told it is no second witness. */
  private votes(): Vote[] {
    const votes: Vote[] = [];
    for (const breaker of this.registry.notClosed()) {
      if (votes.length === MOST_VOTES) break;
      const vote = voteOf(breaker);
      if (vote !== undefined) votes.push(vote);
    }
    return votes;
  }

  private withdrawn(votes: readonly Vote[]): BreakerKey[] {
    const kept = new Set(votes.map(({ key }) => keyText(key)));
    return [...this.cast].filter(([text]) => !kept.has(text)).map(([, key]) => key);
  }

  private recovered(): BreakerKey[] {
    return [...this.inForce.values()]
      .filter(
        ({ state, key }) => state === 'open' && this.registry.peek(key)?.getState().state.kind === 'closed',
      )
      .map(({ key }) => key);
  }

  private apply(shared: SharedState, known: SharedState | undefined): void {
    if (known?.generation === shared.generation) return;
    switch (shared.state) {
      case 'open':
        if (shared.remainingMs > 0) this.registry.get(shared.key).trip('shared', shared.remainingMs);
        return;
      case 'isolated':
        this.registry.get(shared.key).isolate(shared.reason);
        return;
      case 'forced-closed':
        this.registry.get(shared.key).forceClose(shared.reason);
        return;
      case 'closed':
        // Only of what was heard to be in force; what was read again is old news.
        if (known === undefined) return;
        if (known.state === 'open') this.registry.peek(shared.key)?.probeNow();
        else this.registry.peek(shared.key)?.release();
    }
  }

  private inTransaction<T>(work: (db: PoolClient) => Promise<T>): Promise<T> {
    return inBoundedTransaction(this.pool, this.options.statementLimit, work);
  }
}

function voteOf(breaker: KeyedBreaker): Vote | undefined {
  const { state } = breaker.getState();
  if (state.kind !== 'open' && state.kind !== 'half-open') return undefined;
  if (state.reason === 'shared' || !canBeShared(breaker.key)) return undefined;
  return { key: breaker.key, reason: state.reason, breakMs: breakMs(state.attempt, breaker.rules, 0.5) };
}
