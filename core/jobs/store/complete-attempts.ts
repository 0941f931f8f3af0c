import type { Pool } from 'pg';
import type { Json } from '../../idempotency';
import type { BeginRequest } from './begin-attempts';
import { refColumns } from './columns.pure';

export interface Completion extends BeginRequest {
  readonly result: Json;
}

/**
 * Ends attempts well: result recorded, permit free, retention begun. Again with the same token changes nothing.
 *
 * @returns per attempt whether it held its permit; where not, its result is not the job's
 */
export async function completeAttempts(
  pool: Pool,
  completions: readonly Completion[],
  retentionMs: number,
): Promise<boolean[]> {
  const { rows } = await pool.query<{ owner: string }>(
    `update chronawflow.job j
     set state = 'done', result = a.result::json, lease_until = null, waits_for = null,
         finished_at = clock_timestamp(), expires_at = clock_timestamp() + $6 * interval '1 millisecond'
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as a (tenant, type, key, owner, result)
     where j.tenant = a.tenant and j.type = a.type and j.key = a.key and j.owner = a.owner
       and (j.state = 'done' or (j.state = 'running' and j.lease_until > clock_timestamp()))
     returning j.owner`,
    [
      ...refColumns(completions),
      completions.map((completion) => completion.owner),
      completions.map((completion) => JSON.stringify(completion.result)),
      retentionMs,
    ],
  );
  const completed = new Set(rows.map((row) => row.owner));
  return completions.map((completion) => completed.has(completion.owner));
}
