import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import type { Act } from '../act';
import { NothingUndoneError } from '../errors/nothing-undone-error';
import { jobEvent } from '../job-event';
import type { JobRef, JobState } from '../types';
import { stepScope } from './once';

/** A job or a request whose effects restores took back, while its record says that it was done. */
export interface UndoneSubject extends JobRef {
  readonly kind: 'job' | 'request';
  /** Restores that did it, the latest last. */
  readonly restores: readonly string[];
  /** Steps that were undone: a redrive does them again, with the same idempotency keys. */
  readonly steps: readonly string[];
  /** The job itself was over after the target. */
  readonly ended: boolean;
  readonly completedAt: string;
  readonly state: 'open' | 'redriven' | 'left';
  readonly decidedBy?: string;
  /** What the job is now; absent for a request, and when its record is gone. */
  readonly job?: JobState;
  /** Calls to outside systems that its attempts announced. What they did outside was not undone. */
  readonly outside: readonly string[];
}

export interface UndoneFilter {
  readonly tenant?: string;
  readonly type?: string;
  readonly key?: string;
  readonly restoreId?: string;
  /** Default: those that wait for a decision. */
  readonly state?: UndoneSubject['state'];
}

interface Row extends JobRef {
  readonly kind: UndoneSubject['kind'];
  readonly restores: string[];
  readonly steps: string[] | null;
  readonly ended: boolean;
  readonly completed_at: string;
  readonly state: UndoneSubject['state'];
  readonly decided_by: string | null;
  readonly job: JobState | null;
  readonly outside: string[] | null;
}

const SUBJECTS = `select u.tenant, u.type, u.key, s.kind, array_agg(distinct u.restore_id) as restores,
    array_agg(distinct u.step) filter (where u.kind = 'step') as steps,
    bool_or(u.kind = 'job') as ended, max(u.completed_at) as completed_at, u.state, max(u.decided_by) as decided_by,
    j.state as job, j.outside
  from chronawflow.undone_effect u
  cross join lateral (select case when u.kind = 'request' then 'request' else 'job' end as kind) s
  left join chronawflow.job j on s.kind = 'job' and j.tenant = u.tenant and j.type = u.type and j.key = u.key`;

/** In the order in which they were completed: the order in which to redrive them. */
export async function listUndone(pool: Pool, filter: UndoneFilter, limit: number): Promise<UndoneSubject[]> {
  const { rows } = await pool.query<Row>(
    `${SUBJECTS} where u.state = $1 and ($2::text is null or u.tenant = $2) and ($3::text is null or u.type = $3)
       and ($4::text is null or u.restore_id = $4) and ($6::text is null or u.key = $6)
     group by u.tenant, u.type, u.key, s.kind, u.state, j.state, j.outside
     order by max(u.completed_at), u.tenant, u.type, u.key limit $5`,
    [
      filter.state ?? 'open',
      filter.tenant ?? null,
      filter.type ?? null,
      filter.restoreId ?? null,
      limit,
      filter.key ?? null,
    ],
  );
  return rows.map(subjectOf);
}

export interface RedriveUndone extends Act {
  /** Undone steps that stay done: their effects are outside, or were made good by hand. */
  readonly keep?: readonly string[];
  readonly delayMs?: number;
}

/**
 * Does undone effects again. The records of the undone steps go, those of all other steps stay, and the job waits for its
 * turn; of a request the record goes, so that its client may send it again. Nothing outside is called from here.
 *
 * @throws NothingUndoneError
 */
export function redriveUndone(pool: Pool, ref: JobRef, options: RedriveUndone): Promise<void> {
  const { by, authorize, keep = [], delayMs = 0 } = options;
  const at = [ref.tenant, ref.type, ref.key];
  return inTransaction(pool, async (tx) => {
    // The job first, as its attempts do.
    await tx.query('select from chronawflow.job where tenant = $1 and type = $2 and key = $3 for update', at);
    await decide(tx, ref, 'redriven', by);
    await tx.query(
      `delete from chronawflow.idempotency i using chronawflow.undone_effect u
       where u.tenant = $1 and u.type = $2 and u.key = $3 and u.state = 'redriven' and i.tenant = $1
         and i.owner = u.owner and case u.kind
           when 'step' then i.scope = $4 and i.key = u.step and u.step <> all ($5::text[])
           when 'request' then i.scope = u.type and i.key = u.key else false end`,
      [...at, stepScope(ref), keep],
    );
    await tx.query(
      `update chronawflow.dead_letter set state = 'redriven', decided_by = $4, decided_at = clock_timestamp(),
         decision = 'undone effects again'
       where tenant = $1 and type = $2 and key = $3 and state = 'open'`,
      [...at, by],
    );
    await tx.query(
      `update chronawflow.job
       set state = 'waiting', attempts = 0, errors = '[]', result = null, owner = null, waits_for = null,
           finished_at = null, expires_at = null, run_at = clock_timestamp() + $4 * interval '1 millisecond'
       where tenant = $1 and type = $2 and key = $3 and state in ('done', 'dead', 'cancelled')`,
      [...at, delayMs],
    );
    await writeOutbox(tx, [jobEvent('job.undone-redrive', ref, by, { keep })]);
    await authorize?.(tx);
  });
}

/** Leaves the effects undone. What is over keeps its result for the retention; a dead job keeps its letter. @throws NothingUndoneError */
export function leaveUndone(
  pool: Pool,
  ref: JobRef,
  { by, authorize, retentionMs }: Act & { readonly retentionMs: number },
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await decide(tx, ref, 'left', by);
    await tx.query(
      `update chronawflow.job set expires_at = clock_timestamp() + $4 * interval '1 millisecond'
       where tenant = $1 and type = $2 and key = $3 and state in ('done', 'cancelled') and expires_at is null`,
      [ref.tenant, ref.type, ref.key, retentionMs],
    );
    await writeOutbox(tx, [jobEvent('job.undone-leave', ref, by)]);
    await authorize?.(tx);
  });
}

/** Whether somebody still has to decide about effects of this job. */
export async function awaitsDecision(tx: PoolClient, ref: JobRef): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from chronawflow.undone_effect
     where tenant = $1 and type = $2 and key = $3 and kind <> 'request' and state = 'open' limit 1`,
    [ref.tenant, ref.type, ref.key],
  );
  return rowCount === 1;
}

async function decide(tx: PoolClient, ref: JobRef, state: 'redriven' | 'left', by: string): Promise<void> {
  const { rowCount } = await tx.query(
    `update chronawflow.undone_effect set state = $4, decided_by = $5, decided_at = clock_timestamp()
     where tenant = $1 and type = $2 and key = $3 and state = 'open'`,
    [ref.tenant, ref.type, ref.key, state, by],
  );
  if (rowCount === 0) throw new NothingUndoneError(ref);
}

function subjectOf({ steps, completed_at, decided_by, job, outside, ...row }: Row): UndoneSubject {
  return {
    ...row,
    steps: steps ?? [],
    completedAt: completed_at,
    ...(decided_by === null ? {} : { decidedBy: decided_by }),
    ...(job === null ? {} : { job }),
    outside: outside ?? [],
  };
}
