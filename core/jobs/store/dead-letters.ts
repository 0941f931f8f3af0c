import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import type { Json } from '../../idempotency';
import type { Act } from '../act';
import { EffectsUndoneError } from '../errors/effects-undone-error';
import { JobNotDeadError } from '../errors/job-not-dead-error';
import { jobEvent } from '../job-event';
import type { AttemptError, JobRef } from '../types';
import { stepScope } from './once';
import { awaitsDecision } from './undone-effects';

export interface DeadLetter extends JobRef {
  readonly id: string;
  readonly reason: string;
  readonly attempts: number;
  readonly errors: readonly AttemptError[];
  readonly diedAt: string;
  readonly state: 'open' | 'redriven' | 'discarded';
  readonly decidedBy?: string;
  readonly decision?: string;
}

export interface DeadFilter {
  readonly tenant?: string;
  readonly type?: string;
  /** Code of the last attempt's error. */
  readonly code?: string;
}

interface Row extends JobRef {
  readonly id: string;
  readonly reason: string;
  readonly attempts: number;
  readonly errors: readonly AttemptError[];
  readonly died_at: string;
  readonly state: DeadLetter['state'];
  readonly decided_by: string | null;
  readonly decision: string | null;
}

const LETTER = `select id, tenant, type, key, reason, attempts, errors, died_at, state, decided_by, decision
  from chronawflow.dead_letter`;

/** Open dead letters, the oldest first. */
export async function readDeadLetters(pool: Pool, filter: DeadFilter, limit: number): Promise<DeadLetter[]> {
  const { rows } = await pool.query<Row>(
    `${LETTER} where state = 'open' and ($1::text is null or tenant = $1) and ($2::text is null or type = $2)
       and ($3::text is null or errors -> -1 ->> 'code' = $3)
     order by died_at, id limit $4`,
    [filter.tenant ?? null, filter.type ?? null, filter.code ?? null, limit],
  );
  return rows.map(letterOf);
}

/** All letters of one job, the oldest first. */
export async function readLettersOf(pool: Pool, ref: JobRef): Promise<DeadLetter[]> {
  const { rows } = await pool.query<Row>(
    `${LETTER} where tenant = $1 and type = $2 and key = $3 order by id`,
    [ref.tenant, ref.type, ref.key],
  );
  return rows.map(letterOf);
}

/** The steps that `ctx.once` completed, and the items of batches, those of one transaction together: they stay completed when the job runs again. */
export async function readSteps(pool: Pool, ref: JobRef): Promise<{ step: string; at: string }[]> {
  const { rows } = await pool.query<{ step: string; at: string }>(
    `select case when fingerprint = 'items' then format('%s and %s more', key, json_array_length(result -> 'items') - 1)
       else key end as step, completed_at as at
     from chronawflow.idempotency
     where tenant = $1 and scope = $2 and state = 'completed' order by completed_at`,
    [ref.tenant, stepScope(ref)],
  );
  return rows;
}

export interface Redrive extends Act {
  /** Replaces the input, as an act of an operator. */
  readonly edited?: { readonly input: Json; readonly fingerprint: string };
  /** Not before this many milliseconds from now. */
  readonly delayMs?: number;
}

/**
 * Lets a dead job run again, with its attempts counted anew and its completed steps kept.
 *
 * @throws JobNotDeadError; EffectsUndoneError when rows of completed steps are gone and nobody has decided about that
 */
export function redrive(
  pool: Pool,
  ref: JobRef,
  { by, authorize, edited, delayMs = 0 }: Redrive,
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    if (await awaitsDecision(tx, ref)) throw new EffectsUndoneError(ref);
    await decide(tx, ref, 'redriven', by, edited === undefined ? 'same input' : 'edited input');
    await tx.query(
      `update chronawflow.job
       set state = 'waiting', attempts = 0, errors = '[]', owner = null, finished_at = null, expires_at = null,
           lost_with = null, lost_alone = 0,
           run_at = clock_timestamp() + $4 * interval '1 millisecond',
           input = coalesce($5::json, input), fingerprint = coalesce($6, fingerprint)
       where tenant = $1 and type = $2 and key = $3 and state = 'dead'`,
      [
        ref.tenant,
        ref.type,
        ref.key,
        delayMs,
        edited === undefined ? null : JSON.stringify(edited.input),
        edited?.fingerprint ?? null,
      ],
    );
    const input =
      edited === undefined ? { input: 'same' } : { input: 'edited', fingerprint: edited.fingerprint };
    await writeOutbox(tx, [jobEvent('job.redrive', ref, by, input)]);
    await authorize?.(tx);
  });
}

/** Closes a dead letter without another run; the job stays dead and its key taken for the retention. @throws JobNotDeadError */
export function discard(
  pool: Pool,
  ref: JobRef,
  why: Act & { readonly reason: string; readonly retentionMs: number },
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await decide(tx, ref, 'discarded', why.by, why.reason);
    await tx.query(
      `update chronawflow.job set expires_at = clock_timestamp() + $4 * interval '1 millisecond'
       where tenant = $1 and type = $2 and key = $3 and state = 'dead'`,
      [ref.tenant, ref.type, ref.key, why.retentionMs],
    );
    await writeOutbox(tx, [jobEvent('job.discard', ref, why.by, { reason: why.reason })]);
    await why.authorize?.(tx);
  });
}

async function decide(
  tx: PoolClient,
  ref: JobRef,
  state: 'redriven' | 'discarded',
  by: string,
  decision: string,
): Promise<void> {
  const { rowCount } = await tx.query(
    `update chronawflow.dead_letter
     set state = $4, decided_by = $5, decision = $6, decided_at = clock_timestamp()
     where tenant = $1 and type = $2 and key = $3 and state = 'open'`,
    [ref.tenant, ref.type, ref.key, state, by, decision],
  );
  if (rowCount !== 1) throw new JobNotDeadError(ref);
}

function letterOf({ died_at, decided_by, decision, ...row }: Row): DeadLetter {
  return {
    ...row,
    diedAt: died_at,
    ...(decided_by === null ? {} : { decidedBy: decided_by }),
    ...(decision === null ? {} : { decision }),
  };
}
