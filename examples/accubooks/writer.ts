import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { InvalidInputError } from '../../core/errors';
import { inTransaction } from '../../database';
import { chooseWork, OFFICE_WORK, type OfficeWork } from './office-work';
import type { Random } from './random';
import { classifyWriteFailure, type WriteFailure } from './write-failure';
import { WriterFailedError } from './writer-failed-error';
import { WriterTimeoutError } from './writer-timeout-error';

export interface WriterOptions {
  readonly organisationId: string;
  readonly random: Random;
  /** Most transactions a second; a slow one is not made up for. Default 20. */
  readonly ratePerSecond?: number;
  /** Pause after a refusal of any kind, in milliseconds. Default 100. */
  readonly backoffMs?: number;
  /** Limit of one statement, in milliseconds, so that stopping cannot hang. Default 60,000. */
  readonly statementTimeoutMs?: number;
  readonly work?: readonly [OfficeWork, ...OfficeWork[]];
}

export interface WriterStats {
  /** Transactions whose COMMIT was answered; one whose answer was lost is not counted. */
  readonly committed: number;
  /** Tries refused because the tenant is frozen. */
  readonly refused: number;
  readonly disconnected: number;
  readonly contended: number;
  /** Tries that found the organisation, or what they referred to, deleted. */
  readonly gone: number;
  /** Longest time from wanting to write to the commit, retries included, in milliseconds; one under way counts. */
  readonly longestStallMs: number;
}

interface Waiter {
  check(): void;
  fail(error: unknown): void;
}

/**
 * The accounts office of one organisation: one transaction after the other, at a bounded rate, until it is stopped.
 *
 * It keeps going through what production brings: a frozen or lost tenant, contention, a server that restarts. Any
 * other error ends it; `stop` and `waitUntil` then throw that error.
 */
export class AccountingWriter {
  readonly #pool: Pool;
  readonly #options: Required<WriterOptions>;
  readonly #waiters = new Set<Waiter>();
  readonly #counts: Record<Exclude<WriteFailure, 'fatal'> | 'committed', number> = {
    committed: 0,
    frozen: 0,
    disconnected: 0,
    contended: 0,
    gone: 0,
  };
  #longestStallMs = 0;
  /** When the write that is not committed yet was first wanted, by the monotonic clock. */
  #wantedAt: number | undefined;
  #loop: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: Pool, options: WriterOptions) {
    this.#pool = pool;
    this.#options = {
      organisationId: options.organisationId,
      random: options.random,
      ratePerSecond: options.ratePerSecond ?? 20,
      backoffMs: options.backoffMs ?? 100,
      statementTimeoutMs: options.statementTimeoutMs ?? 60_000,
      work: options.work ?? OFFICE_WORK,
    };
    if (!(this.#options.ratePerSecond > 0)) {
      throw new InvalidInputError('ratePerSecond must be greater than 0', {
        hint: 'To write nothing, do not start the writer.',
      });
    }
  }

  start(): void {
    if (this.#loop !== undefined) {
      throw new InvalidInputError(`the writer of ${this.#options.organisationId} is running already`, {
        hint: 'Stop it before starting it again.',
      });
    }
    this.#failure = undefined;
    const stop = new AbortController();
    this.#loop = { stop, done: this.#run(stop.signal) };
  }

  /** Lets the transaction under way end, then returns the final counts. */
  async stop(): Promise<WriterStats> {
    const loop = this.#loop;
    this.#loop = undefined;
    loop?.stop.abort();
    await loop?.done;
    this.#wantedAt = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.stats();
  }

  stats(): WriterStats {
    const underWay = this.#wantedAt === undefined ? 0 : performance.now() - this.#wantedAt;
    return {
      committed: this.#counts.committed,
      refused: this.#counts.frozen,
      disconnected: this.#counts.disconnected,
      contended: this.#counts.contended,
      gone: this.#counts.gone,
      longestStallMs: Math.max(this.#longestStallMs, underWay),
    };
  }

  /** Starts a new measurement: `longestStallMs` from here on is that of writes that end, or hang, after this call. */
  resetStall(): void {
    this.#longestStallMs = 0;
  }

  /**
   * Resolves as soon as `reached` holds for the counts, looked at after every try.
   *
   * @throws WriterTimeoutError after `limitMs`; the writer's own error when it ended with one.
   */
  waitUntil(reached: (stats: WriterStats) => boolean, limitMs: number): Promise<WriterStats> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        end();
      };
      const waiter: Waiter = {
        check: () => {
          const stats = this.stats();
          if (reached(stats)) settle(() => resolve(stats));
        },
        fail: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(
        () => waiter.fail(new WriterTimeoutError(this.#options.organisationId, limitMs, this.stats())),
        limitMs,
      );
      this.#waiters.add(waiter);
      if (this.#failure !== undefined) waiter.fail(this.#failure.error);
      else waiter.check();
    });
  }

  /** Resolves after `more` further commits. */
  waitForCommits(more: number, limitMs: number): Promise<WriterStats> {
    const goal = this.#counts.committed + more;
    return this.waitUntil((stats) => stats.committed >= goal, limitMs);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const interval = 1_000 / this.#options.ratePerSecond;
    try {
      while (!signal.aborted) {
        const startedAt = performance.now();
        const outcome = await this.#attempt();
        for (const waiter of [...this.#waiters]) waiter.check();
        const rest = interval - (performance.now() - startedAt);
        await pause(outcome === 'committed' ? rest : this.#options.backoffMs, signal);
      }
    } catch (error) {
      this.#failure = { error };
      for (const waiter of [...this.#waiters]) waiter.fail(error);
    }
  }

  async #attempt(): Promise<'committed' | WriteFailure> {
    const { organisationId, random, statementTimeoutMs, work } = this.#options;
    const chosen = chooseWork(work, random());
    const today = new Date().toISOString().slice(0, 10);
    this.#wantedAt ??= performance.now();
    try {
      await inTransaction(this.#pool, (tx) => chosen.run(tx, { organisationId, today, random }), {
        statementTimeoutMs,
      });
    } catch (error) {
      const failure = classifyWriteFailure(error);
      if (failure === 'fatal') {
        throw new WriterFailedError(organisationId, chosen.name, error);
      }
      this.#counts[failure] += 1;
      return failure;
    }
    this.#counts.committed += 1;
    this.#longestStallMs = Math.max(this.#longestStallMs, performance.now() - this.#wantedAt);
    this.#wantedAt = undefined;
    return 'committed';
  }
}

/** Returns early, without an error, when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
