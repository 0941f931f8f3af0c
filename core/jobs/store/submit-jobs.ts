import type { Pool, PoolClient } from 'pg';
import type { Json } from '../../idempotency';
import type { JobRef } from '../types';
import { refColumns, refText } from './columns.pure';
import { removeExpired, removeExpiredIn } from './remove-expired';

export interface Submission extends JobRef {
  readonly fingerprint: string;
  readonly input: Json;
  readonly priority: number;
  /** ISO 8601; not before this time. Default: now. */
  readonly runAt?: string;
  /** Most jobs of the tenant that may wait. */
  readonly backlog: number;
}

/** `known`: the same job with the same input is there already; `reused`: with another input. */
export type SubmitOutcome = 'submitted' | 'known' | 'reused' | 'backlog-full';

interface Row extends JobRef {
  readonly outcome: SubmitOutcome | 'unseen' | 'expired';
}

/**
 * Adds jobs to the queue, one statement for all, where a transaction is given in it. A job whose retention is over makes room for a new one with its key.
 * The backlog is looked at once a batch: a batch may go over the limit by its own size.
 *
 * The look at the row behind the limit is an index-only scan of at most `backlog` entries; counting what waits would
 * read all of it.
 *
 * @returns an outcome per job, in their order
 */
export async function submitJobs(
  db: Pool | PoolClient,
  jobs: readonly Submission[],
): Promise<SubmitOutcome[]> {
  const first = new Map<string, Submission>();
  for (const job of jobs) if (!first.has(refText(job))) first.set(refText(job), job);
  const outcomes = new Map<string, SubmitOutcome>();
  for (let left = [...first.values()]; left.length > 0; ) {
    const again: Submission[] = [];
    const expired: JobRef[] = [];
    for (const { outcome, ...ref } of await insert(db, left)) {
      const text = refText(ref);
      const job = first.get(text);
      if (outcome === 'expired') expired.push(ref);
      if (outcome !== 'unseen' && outcome !== 'expired') outcomes.set(text, outcome);
      else if (job !== undefined) again.push(job);
    }
    if (expired.length > 0)
      await ('release' in db ? removeExpiredIn(db, expired) : removeExpired(db, expired));
    left = again;
  }
  return jobs.map((job) => {
    const text = refText(job);
    const outcome = outcomes.get(text) ?? 'backlog-full';
    const earlier = first.get(text);
    if (earlier === job || earlier === undefined || outcome === 'backlog-full') return outcome;
    return earlier.fingerprint === job.fingerprint ? 'known' : 'reused';
  });
}

/** `unseen`: inserted by somebody else after this statement's snapshot; the next statement sees it. */
async function insert(db: Pool | PoolClient, jobs: readonly Submission[]): Promise<readonly Row[]> {
  const { rows } = await db.query<Row>(
    `with asked as (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::timestamptz[])
         with ordinality as a (tenant, type, key, fingerprint, input, priority, run_at, place)
     ), full_tenants as (
       select l.tenant from unnest($8::text[], $9::integer[]) as l (tenant, backlog)
       where l.backlog = 0 or exists (
         select from chronawflow.job j where j.tenant = l.tenant and j.state = 'waiting' offset l.backlog - 1)
     ), taken as (
       insert into chronawflow.job as j (tenant, type, key, fingerprint, input, priority, run_at)
       select tenant, type, key, fingerprint, input::json, priority, coalesce(run_at, clock_timestamp())
       from asked where tenant not in (table full_tenants) order by place
       on conflict (tenant, type, key) do nothing
       returning j.tenant, j.type, j.key
     )
     select a.tenant, a.type, a.key,
       case when t.key is not null then 'submitted'
            when j.expires_at <= clock_timestamp() then 'expired'
            when j.fingerprint = a.fingerprint then 'known'
            when j.fingerprint is not null then 'reused'
            when a.tenant in (table full_tenants) then 'backlog-full'
            else 'unseen' end as outcome
     from asked a
     left join taken t using (tenant, type, key)
     left join chronawflow.job j using (tenant, type, key)`,
    [
      ...refColumns(jobs),
      jobs.map((job) => job.fingerprint),
      jobs.map((job) => JSON.stringify(job.input)),
      jobs.map((job) => job.priority),
      jobs.map((job) => job.runAt ?? null),
      ...backlogs(jobs),
    ],
  );
  return rows;
}

function backlogs(jobs: readonly Submission[]): [string[], number[]] {
  const byTenant = new Map(jobs.map((job) => [job.tenant, job.backlog]));
  return [[...byTenant.keys()], [...byTenant.values()]];
}
