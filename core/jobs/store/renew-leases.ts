import type { Pool } from 'pg';
import type { JobProgress } from '../types';
import type { BeginRequest } from './begin-attempts';
import { refColumns } from './columns.pure';

export interface Renewal extends BeginRequest {
  readonly progress?: JobProgress;
}

/** Renews the leases of running attempts and notes how far they are. @returns the tokens that still hold their permits */
export async function renewLeases(
  pool: Pool,
  attempts: readonly Renewal[],
  leaseMs: number,
): Promise<Set<string>> {
  const { rows } = await pool.query<{ owner: string }>(
    `update chronawflow.job j set lease_until = clock_timestamp() + $6 * interval '1 millisecond',
       progress = coalesce(a.progress, j.progress)
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) as a (tenant, type, key, owner, progress)
     where j.tenant = a.tenant and j.type = a.type and j.key = a.key and j.owner = a.owner
       and j.state = 'running' and j.lease_until > clock_timestamp()
     returning j.owner`,
    [
      ...refColumns(attempts),
      attempts.map((attempt) => attempt.owner),
      attempts.map(({ progress }) => (progress === undefined ? null : JSON.stringify(progress))),
      leaseMs,
    ],
  );
  return new Set(rows.map((row) => row.owner));
}
