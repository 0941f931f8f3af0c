import type { Pool } from 'pg';
import type { JobRef } from '../types';
import type { BeginRequest } from './begin-attempts';

/**
 * Ends a job that no attempt runs.
 *
 * @returns whether it did; a running one is cancelled through its workflow, and ends as its attempt tells
 */
export async function cancelWaiting(pool: Pool, ref: JobRef, retentionMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update chronawflow.job set ${CANCELLED} $4 * interval '1 millisecond'
     where tenant = $1 and type = $2 and key = $3 and state in ('waiting', 'handed')`,
    [ref.tenant, ref.type, ref.key, retentionMs],
  );
  return rowCount === 1;
}

/** The attempt stopped because it was cancelled. @returns whether it still held its permit */
export async function cancelAttempt(
  pool: Pool,
  attempt: BeginRequest,
  retentionMs: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update chronawflow.job set ${CANCELLED} $5 * interval '1 millisecond'
     where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
       and lease_until > clock_timestamp()`,
    [attempt.tenant, attempt.type, attempt.key, attempt.owner, retentionMs],
  );
  return rowCount === 1;
}

const CANCELLED = `state = 'cancelled', waits_for = null, lease_until = null, finished_at = clock_timestamp(),
  expires_at = clock_timestamp() +`;
