import type { Pool } from 'pg';
import type { BeginRequest } from './begin-attempts';

/** Keeps the names of outside calls with the job, whoever owns it by now: the call may be made all the same. */
export async function noteOutside(pool: Pool, job: BeginRequest, names: readonly string[]): Promise<void> {
  await pool.query(
    `update chronawflow.job set outside = outside || array(select unnest($4::text[]) except select unnest(outside))
     where tenant = $1 and type = $2 and key = $3 and not outside @> $4::text[]`,
    [job.tenant, job.type, job.key, names],
  );
}
