import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { JobFencedError } from '../errors/job-fenced-error';
import type { BeginRequest } from './begin-attempts';
import { stepScope } from './once';

/** A job that goes on with a part of another one's work. */
export interface SplitOff {
  /** Of the part's own job. */
  readonly key: string;
  readonly input: unknown;
  readonly fingerprint: string;
}

/** Fingerprint of a record that stands for several items, whose names its result holds; it has the name of the first. */
const SEVERAL = 'items';

/** The attempt still holds its permit, and keeps it until the transaction ends. */
const PERMIT = `select set_config('idle_in_transaction_session_timeout', $5, true) from chronawflow.job
  where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
    and lease_until > clock_timestamp()
  for key share`;

/**
 * Which items of a batch were done, for one attempt (README.md, invariant 4). One record stands for all items of a
 * transaction: a record for each took three quarters of a chunk's time (2,000 items: 70 ms, in one record 11 ms). What is
 * recorded is read once, because only the holder of the permit adds to it.
 */
export class BatchRecords {
  private recorded: Set<string> | undefined;

  /** @param silenceMs a connection that falls silent in a transaction for this long is ended by the server */
  constructor(
    private readonly pool: Pool,
    private readonly attempt: BeginRequest,
    private readonly silenceMs: number,
  ) {}

  /**
   * Records those of `steps` that are not recorded yet, and runs `work` for them, in one transaction.
   *
   * @returns how many were not recorded before
   * @throws JobFencedError, and what `work` throws, after which none of them is recorded
   */
  async onceForEach(
    steps: readonly string[],
    work: (tx: PoolClient, fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<number> {
    const fresh = await this.inPermit(async (tx, recorded) => {
      const missing = steps.filter((step) => !recorded.has(step));
      if (missing.length === 0) return missing;
      await this.record(tx, missing, {});
      await work(tx, new Set(missing));
      return missing;
    });
    this.remember(fresh);
    return fresh.length;
  }

  /**
   * Moves steps to a job of their own, which is tried, retried and buried alone: they are recorded as done here in the
   * transaction that adds the other job.
   *
   * @throws JobFencedError
   */
  async splitOff(steps: readonly string[], part: SplitOff): Promise<void> {
    const { tenant, type, key } = this.attempt;
    const moved = await this.inPermit(async (tx, recorded) => {
      const missing = steps.filter((step) => !recorded.has(step));
      if (missing.length === 0) return missing;
      await this.record(tx, missing, { movedTo: part.key });
      await tx.query(
        `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, run_at)
         select tenant, type, $4, $5, $6, priority, clock_timestamp()
         from chronawflow.job where tenant = $1 and type = $2 and key = $3
         on conflict do nothing`,
        [tenant, type, key, part.key, part.fingerprint, JSON.stringify(part.input)],
      );
      return missing;
    });
    this.remember(moved);
  }

  private async inPermit<T>(work: (tx: PoolClient, recorded: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const { tenant, type, key, owner } = this.attempt;
    try {
      return await inTransaction(this.pool, async (tx) => {
        const { rowCount } = await tx.query(PERMIT, [tenant, type, key, owner, String(this.silenceMs)]);
        if (rowCount !== 1) throw new JobFencedError(this.attempt);
        this.recorded ??= await this.read(tx);
        return work(tx, this.recorded);
      });
    } catch (error) {
      // A commit whose answer was lost may have happened.
      this.recorded = undefined;
      throw error;
    }
  }

  private async read(tx: PoolClient): Promise<Set<string>> {
    const { rows } = await tx.query<{ key: string; items: string[] | null }>(
      `select key, case when fingerprint = $3 then result -> 'items' end as items
       from chronawflow.idempotency where tenant = $1 and scope = $2 and state = 'completed'`,
      [this.attempt.tenant, stepScope(this.attempt), SEVERAL],
    );
    return new Set(rows.flatMap(({ key, items }) => items ?? [key]));
  }

  private async record(tx: PoolClient, steps: readonly string[], result: object): Promise<void> {
    const several = steps.length > 1;
    await tx.query(
      `insert into chronawflow.idempotency
         (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at, result)
       values ($1, $2, $3, $4, 'completed', $5, now(), now(), $6)`,
      [
        this.attempt.tenant,
        stepScope(this.attempt),
        steps[0],
        several ? SEVERAL : '',
        this.attempt.owner,
        JSON.stringify(several ? { ...result, items: steps } : result),
      ],
    );
  }

  /** After the commit only: what was rolled back has to be done again. */
  private remember(steps: readonly string[]): void {
    for (const step of steps) this.recorded?.add(step);
  }
}
