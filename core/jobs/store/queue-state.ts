import type { PoolClient } from 'pg';
import type { InFlight } from '../pick-fairly.pure';
import type { Release } from '../release-allowance.pure';
import { RELEASES } from './holds';
import { type JobWorker, WORKER_SEEN_MS } from './worker-registry';

/** Jobs of a tenant's type that are in flight. */
export interface Counted extends InFlight {
  /** Of them not begun. */
  readonly handed: number;
  /** Of them such as have to run alone. */
  readonly suspects: number;
}

/** A limit that a person set; '' stands for any. */
export interface LimitRow {
  readonly tenant: string;
  readonly type: string;
  readonly in_flight: number | null;
  readonly backlog: number | null;
  readonly weight: number | null;
}

/** What a claim decides by, besides the jobs that wait. */
export interface QueueState {
  readonly counts: readonly Counted[];
  /** Those that live. */
  readonly workers: readonly Pick<JobWorker, 'slots' | 'types'>[];
  readonly limits: readonly LimitRow[];
  readonly releases: readonly Release[];
}

/** In one statement: a claim is on the way of every job, and its way to the database and back would be most of its time. */
export async function readQueueState(tx: PoolClient): Promise<QueueState> {
  const { rows } = await tx.query<QueueState>(STATE);
  const [state] = rows;
  return state ?? { counts: [], workers: [], limits: [], releases: [] };
}

const COUNTS = `select tenant, type, count(*)::integer as count,
    count(*) filter (where state = 'handed')::integer as handed,
    count(*) filter (where lost_with is not null)::integer as suspects
  from chronawflow.job
  where state in ('handed', 'running') and lease_until > clock_timestamp()
  group by tenant, type`;

const WORKERS = `select slots, types from chronawflow.job_worker
  where seen_at > clock_timestamp() - interval '${WORKER_SEEN_MS} milliseconds'`;

const LIMITS = 'select tenant, type, in_flight, backlog, weight from chronawflow.job_limit';

const all = (query: string) => `(select coalesce(json_agg(row), '[]') from (${query}) row)`;

const STATE = `select ${all(COUNTS)} as counts, ${all(WORKERS)} as workers, ${all(LIMITS)} as limits,
  ${all(RELEASES)} as releases`;
