import type { Pool } from 'pg';
import type { BeginRequest } from './begin-attempts';
import { refColumns } from './columns.pure';

/** Renews the leases of running attempts. @returns the tokens that still hold their permits */
export async function renewLeases(
  pool: Pool,
  attempts: readonly BeginRequest[],
  leaseMs: number,
): Promise<Set<string>> {
  const { rows } = await pool.query<{ owner: string }>(
    `update chronawflow.job j set lease_until = clock_timestamp() + $5 * interval '1 millisecond'
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as a (tenant, type, key, owner)
     where j.tenant = a.tenant and j.type = a.type and j.key = a.key and j.owner = a.owner
       and j.state = 'running' and j.lease_until > clock_timestamp()
     returning j.owner`,
    [...refColumns(attempts), attempts.map((attempt) => attempt.owner), leaseMs],
  );
  return new Set(rows.map((row) => row.owner));
}
