import type { Pool } from 'pg';
import type { Json } from '../../idempotency';
import type { AttemptError, JobPriority, JobProgress, JobRef, JobState, JobStatus, WaitsFor } from '../types';
import { refColumns } from './columns.pure';
import { WORKER_SEEN_MS } from './worker-registry';

interface Row extends JobRef {
  readonly state: JobState;
  readonly waits_for: WaitsFor | null;
  readonly priority: JobPriority;
  readonly attempts: number;
  readonly submitted_at: string;
  readonly run_at: string;
  readonly finished_at: string | null;
  readonly errors: readonly AttemptError[];
  readonly result: Json;
  readonly progress: JobProgress | null;
  readonly held: JobStatus['held'] | null;
  readonly no_worker: boolean;
}

const STATUS = `select j.tenant, j.type, j.key, j.state, j.waits_for, j.priority::integer, j.attempts, j.submitted_at,
    j.run_at, j.finished_at, j.errors, j.result, j.progress, h.held,
    j.state = 'waiting' and not exists (
      select from chronawflow.job_worker w
      where j.type = any (w.types) and w.seen_at > clock_timestamp() - interval '${WORKER_SEEN_MS} milliseconds') as no_worker
  from chronawflow.job j
  left join lateral (
    select json_strip_nulls(json_build_object('kind', kind, 'reason', reason, 'by', held_by, 'since', since, 'until', until,
      'perSecond', release_rate)) as held
    from chronawflow.job_hold
    where j.state = 'waiting' and tenant in ('', j.tenant) and type in ('', j.type) and key in ('', j.key)
      and (until is null or until > clock_timestamp())
    order by release_rate nulls first, since limit 1) h on true`;

/** What stands in the queue's table about these jobs; those that are not there are left out. */
export async function readJobs(pool: Pool, refs: readonly JobRef[]): Promise<JobStatus[]> {
  const { rows } = await pool.query<Row>(
    `${STATUS} join unnest($1::text[], $2::text[], $3::text[]) as a (tenant, type, key) using (tenant, type, key)`,
    refColumns(refs),
  );
  return rows.map(statusOf);
}

export interface JobFilter {
  readonly tenant?: string;
  readonly type?: string;
  readonly states?: readonly JobState[];
}

/** The newest jobs first. */
export async function listJobs(pool: Pool, filter: JobFilter, limit: number): Promise<JobStatus[]> {
  const { rows } = await pool.query<Row>(
    `${STATUS}
     where ($1::text is null or j.tenant = $1) and ($2::text is null or j.type = $2)
       and ($3::text[] is null or j.state = any ($3))
     order by j.seq desc limit $4`,
    [filter.tenant ?? null, filter.type ?? null, filter.states ?? null, limit],
  );
  return rows.map(statusOf);
}

export interface QueueDepth {
  readonly tenant: string;
  readonly type: string;
  readonly waiting: number;
  readonly inFlight: number;
  readonly dead: number;
  /** Of the jobs whose time has come, in milliseconds. */
  readonly oldestMs: number;
}

/** What waits, runs and is dead, by tenant and type, the deepest queues first. */
export async function readDepths(pool: Pool, limit: number): Promise<QueueDepth[]> {
  const { rows } = await pool.query<QueueDepth>(
    `select tenant, type,
       count(*) filter (where state = 'waiting')::integer as waiting,
       count(*) filter (where state in ('handed', 'running'))::integer as "inFlight",
       count(*) filter (where state = 'dead')::integer as dead,
       coalesce(greatest(0, max(extract(epoch from clock_timestamp() - run_at)) filter (where state = 'waiting')), 0)::float8
         * 1000 as "oldestMs"
     from chronawflow.job where state in ('waiting', 'handed', 'running', 'dead')
     group by tenant, type order by waiting desc, tenant, type limit $1`,
    [limit],
  );
  return rows;
}

function statusOf(row: Row): JobStatus {
  return {
    tenant: row.tenant,
    type: row.type,
    key: row.key,
    state: row.state,
    ...(row.waits_for === null ? {} : { waitsFor: row.waits_for }),
    ...(row.held === null ? {} : { held: row.held }),
    ...(row.no_worker ? { noWorker: true } : {}),
    ...(row.progress === null || row.state === 'done' ? {} : { progress: row.progress }),
    priority: row.priority,
    attempts: row.attempts,
    submittedAt: row.submitted_at,
    runAt: row.run_at,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    errors: row.errors,
    ...(row.state === 'done' ? { result: row.result } : {}),
  };
}
