import type { Pool } from 'pg';
import type { WaitsFor } from '../types';
import type { BeginRequest } from './begin-attempts';

/**
 * Gives an attempt's permit back without counting the attempt: the worker stops, or has not the type's code.
 *
 * @returns whether it still held the permit
 */
export async function putBack(
  pool: Pool,
  attempt: BeginRequest,
  waitsFor: WaitsFor | undefined,
  delayMs: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update chronawflow.job set state = 'waiting', waits_for = $5, attempts = attempts - 1, lease_until = null,
       run_at = case when $6 > 0 then clock_timestamp() + $6 * interval '1 millisecond' else run_at end
     where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
       and lease_until > clock_timestamp()`,
    [attempt.tenant, attempt.type, attempt.key, attempt.owner, waitsFor ?? null, delayMs],
  );
  return rowCount === 1;
}
