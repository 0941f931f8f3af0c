import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { JobFencedError } from '../errors/job-fenced-error';
import type { JobRef } from '../types';
import type { BeginRequest } from './begin-attempts';
import { stepScope } from './once';

/** Part of every statement below: the attempt still holds its permit, and keeps it until the transaction ends. */
const PERMIT = `select set_config('idle_in_transaction_session_timeout', $5, true) from chronawflow.job
  where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
    and lease_until > clock_timestamp()
  for key share`;

/**
 * Records those of `steps` that are not recorded yet, and runs `work` for them, in one transaction (README.md, invariant 4).
 *
 * @returns how many were not recorded before
 * @throws JobFencedError, and what `work` throws, after which none of them is recorded
 */
export function onceForEach(
  pool: Pool,
  attempt: BeginRequest,
  steps: readonly string[],
  work: (tx: PoolClient, fresh: ReadonlySet<string>) => Promise<void>,
  silenceMs: number,
): Promise<number> {
  return inTransaction(pool, async (tx) => {
    await holdPermit(tx, attempt, silenceMs);
    const { rows } = await tx.query<{ key: string }>(
      `insert into chronawflow.idempotency
         (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at)
       select $1, $2, step, '', 'completed', $3, now(), now() from unnest($4::text[]) step
       on conflict do nothing returning key`,
      [attempt.tenant, stepScope(attempt), attempt.owner, steps],
    );
    if (rows.length > 0) await work(tx, new Set(rows.map((row) => row.key)));
    return rows.length;
  });
}

/** A job that goes on with a part of another one's work. */
export interface SplitOff {
  /** Of the part's own job. */
  readonly key: string;
  readonly input: unknown;
  readonly fingerprint: string;
}

/**
 * Moves steps of a job to a job of its own, which is tried, retried and buried alone: they are recorded as done here in the
 * transaction that adds the other job.
 */
export function splitOff(
  pool: Pool,
  attempt: BeginRequest,
  steps: readonly string[],
  part: SplitOff,
  silenceMs: number,
): Promise<JobRef> {
  return inTransaction(pool, async (tx) => {
    await holdPermit(tx, attempt, silenceMs);
    const { tenant, type } = attempt;
    await tx.query(
      `with moved as (
         insert into chronawflow.idempotency
           (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at, result)
         select $1, $2, step, '', 'completed', $4, now(), now(), $5 from unnest($3::text[]) step
         on conflict do nothing returning key)
       insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, run_at)
       select j.tenant, j.type, $7, $8, $9, j.priority, clock_timestamp()
       from chronawflow.job j
       where j.tenant = $1 and j.type = $6 and j.key = $10 and exists (select from moved)
       on conflict do nothing`,
      [
        tenant,
        stepScope(attempt),
        steps,
        attempt.owner,
        JSON.stringify({ movedTo: part.key }),
        type,
        part.key,
        part.fingerprint,
        JSON.stringify(part.input),
        attempt.key,
      ],
    );
    return { tenant, type, key: part.key };
  });
}

async function holdPermit(tx: PoolClient, attempt: BeginRequest, silenceMs: number): Promise<void> {
  const { rowCount } = await tx.query(PERMIT, [
    attempt.tenant,
    attempt.type,
    attempt.key,
    attempt.owner,
    String(silenceMs),
  ]);
  if (rowCount !== 1) throw new JobFencedError(attempt);
}
