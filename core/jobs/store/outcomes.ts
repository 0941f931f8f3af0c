import type { Pool, PoolClient } from 'pg';
import type { Ends } from '../judge-failures.pure';

/** Parts of the window that are counted for themselves: it moves by a tenth. */
const PARTS = 10;

/** Adds attempts that ended just now to their tenants' counts. */
export async function addOutcomes(pool: Pool, ends: readonly Ends[], windowMs: number): Promise<void> {
  await pool.query(
    `insert into chronawflow.job_outcome as o (tenant, type, since, succeeded, failed)
     select tenant, type, date_bin($5 * interval '1 millisecond', clock_timestamp(), 'epoch'), succeeded, failed
     from unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) as e (tenant, type, succeeded, failed)
     order by tenant, type
     on conflict (tenant, type, since) do update
     set succeeded = o.succeeded + excluded.succeeded, failed = o.failed + excluded.failed`,
    [
      ends.map((one) => one.tenant),
      ends.map((one) => one.type),
      ends.map((one) => one.succeeded),
      ends.map((one) => one.failed),
      Math.ceil(windowMs / PARTS),
    ],
  );
}

/** How attempts ended within the window, by tenant and type; what is older is removed. */
export async function readOutcomes(pool: Pool, windowMs: number): Promise<Ends[]> {
  await pool.query(
    `delete from chronawflow.job_outcome where since <= clock_timestamp() - $1 * interval '1 millisecond'`,
    [windowMs],
  );
  const { rows } = await pool.query<Ends>(
    `select tenant, type, sum(succeeded)::integer as succeeded, sum(failed)::integer as failed
     from chronawflow.job_outcome where since > clock_timestamp() - $1 * interval '1 millisecond'
     group by tenant, type`,
    [windowMs],
  );
  return rows;
}

/** What was counted before a hold or its release does not count again. Absent and empty parts stand for any. */
export async function forgetOutcomes(
  db: Pool | PoolClient,
  { tenant = '', type = '' }: { readonly tenant?: string; readonly type?: string },
): Promise<void> {
  await db.query(`delete from chronawflow.job_outcome where $1 in ('', tenant) and $2 in ('', type)`, [
    tenant,
    type,
  ]);
}
