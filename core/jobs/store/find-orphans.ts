import type { Pool } from 'pg';
import type { JobRef } from '../types';

/** Running jobs whose permits lapsed longer ago than `afterMs`: the next hundred. */
export async function findOrphans(pool: Pool, afterMs: number): Promise<JobRef[]> {
  const { rows } = await pool.query<JobRef>(
    `select tenant, type, key from chronawflow.job
     where state = 'running' and lease_until < clock_timestamp() - $1 * interval '1 millisecond' limit 100`,
    [afterMs],
  );
  return rows;
}
