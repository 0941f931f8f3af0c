import type { Pool, PoolClient } from 'pg';
import type { JobRef } from '../types';

export interface ShedRequest {
  readonly tenant: string;
  /** How many at most. */
  readonly count: number;
  /** Only jobs of a level behind this one make room. */
  readonly lessUrgentThan: number;
  /** Types that are never shed. */
  readonly core: readonly string[];
}

/**
 * Makes room in a tenant's backlog: its least urgent waiting jobs, of these the newest, become dead letters with the
 * reason SHED, from which they can be redriven.
 *
 * @returns those that were shed
 */
export async function shedJobs(db: Pool | PoolClient, request: ShedRequest): Promise<JobRef[]> {
  const { rows } = await db.query<JobRef>(
    `with victims as (
       select tenant, type, key from chronawflow.job
       where tenant = $1 and state = 'waiting' and priority > $2 and type <> all ($3::text[])
       order by priority desc, seq desc limit $4 for update skip locked
     ), dead as (
       update chronawflow.job j set state = 'dead', waits_for = null, finished_at = clock_timestamp()
       from victims v where j.tenant = v.tenant and j.type = v.type and j.key = v.key
       returning j.tenant, j.type, j.key, j.attempts, j.errors)
     insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors)
     select tenant, type, key, 'SHED', attempts, errors from dead
     returning tenant, type, key`,
    [request.tenant, request.lessUrgentThan, request.core, request.count],
  );
  return rows;
}
