import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { canonicalJson } from '../../idempotency';
import { JobFencedError } from '../errors/job-fenced-error';
import type { JobRef } from '../types';
import type { BeginRequest } from './begin-attempts';

/** Scope of a job's steps among the idempotency records. */
export function stepScope({ type, key }: Pick<JobRef, 'type' | 'key'>): string {
  return `job ${JSON.stringify([type, key])}`;
}

/**
 * Runs `work` in a transaction that also records the step, unless the record is there. The lock FOR KEY SHARE on the
 * job's row lets its lease be renewed meanwhile, but not its owner change (README.md, invariant 4); a connection that
 * falls silent in the transaction is ended by the server after `silenceMs`, so that the lock goes with it.
 *
 * @throws JobFencedError
 *
 * @returns what JSON keeps of the result, the first time as well as later
 */
export function onceInTransaction<T>(
  pool: Pool,
  attempt: BeginRequest,
  step: string,
  work: (tx: PoolClient) => Promise<T>,
  silenceMs: number,
): Promise<T> {
  const scope = stepScope(attempt);
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ held: boolean; recorded: boolean; result: T }>(
      `with permit as (
         select from chronawflow.job
         where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
           and lease_until > clock_timestamp()
         for key share)
       select set_config('idle_in_transaction_session_timeout', $7, true) is not null as limited,
         exists (table permit) as held, i.key is not null as recorded, i.result
       from (select) one
       left join chronawflow.idempotency i on i.tenant = $1 and i.scope = $5 and i.key = $6`,
      [attempt.tenant, attempt.type, attempt.key, attempt.owner, scope, step, String(silenceMs)],
    );
    const row = rows[0];
    if (row?.held !== true) throw new JobFencedError(attempt);
    if (row.recorded) return row.result;
    const text = canonicalJson((await work(tx)) ?? null);
    await tx.query(
      `insert into chronawflow.idempotency
         (tenant, scope, key, fingerprint, state, owner, lease_until, result, completed_at)
       values ($1, $2, $3, '', 'completed', $4, clock_timestamp(), $5, clock_timestamp())`,
      [attempt.tenant, scope, step, attempt.owner, text],
    );
    return JSON.parse(text);
  });
}
