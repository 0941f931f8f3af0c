import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import { JobNotFoundError } from '../errors/job-not-found-error';
import { jobEvent, PLATFORM_ACTOR } from '../job-event';
import type { AttemptEnd, AttemptError, JobRef, JobState } from '../types';
import { type RetryRules, settleFailure } from './settle-failure';
import { LOST, settleLoss } from './settle-loss';

/** After this a workflow looks again, when nobody wakes it before. */
const LOOK_MS = 60_000;

interface Row {
  readonly state: JobState;
  readonly attempts: number;
  readonly errors: readonly AttemptError[];
  readonly lease_ms: number;
  readonly wait_ms: number;
  readonly alone: boolean;
  readonly lost_alone: number;
  /** The attempt's process was seen after the lease was over, or is this one. */
  readonly survived: boolean;
}

/**
 * What became of a job whose attempt gave no answer, or found that it was not its turn. An attempt whose lease has
 * lapsed is lost: when its process lives, that is a failure like any other; otherwise the process died of one of those that
 * ran in it.
 */
export function findEnd(pool: Pool, ref: JobRef, rules: RetryRules): Promise<AttemptEnd> {
  return inTransaction(pool, async (tx): Promise<AttemptEnd> => {
    const { rows } = await tx.query<Row>(
      `select state, attempts, errors,
         coalesce(extract(epoch from lease_until - clock_timestamp())::float8 * 1000, 0) as lease_ms,
         greatest(0, extract(epoch from run_at - clock_timestamp())::float8 * 1000) as wait_ms,
         alone, lost_alone, split_part(owner, '/', 1) = $4 or exists (
           select from chronawflow.job_worker w
           where w.id = split_part(owner, '/', 1) and w.seen_at > lease_until) as survived
       from chronawflow.job where tenant = $1 and type = $2 and key = $3 for update`,
      [ref.tenant, ref.type, ref.key, rules.process],
    );
    const row = rows[0];
    if (row === undefined) throw new JobNotFoundError(ref);
    switch (row.state) {
      case 'done':
      case 'cancelled':
        return { kind: row.state };
      case 'dead':
        return deadOf(row.errors.at(-1));
      case 'waiting':
        return { kind: 'waiting', why: 'its turn', lookInMs: row.wait_ms + LOOK_MS };
      case 'handed':
        // The attempt that it was handed to never began.
        await tx.query(
          `update chronawflow.job set state = 'waiting', lease_until = null
           where tenant = $1 and type = $2 and key = $3`,
          [ref.tenant, ref.type, ref.key],
        );
        return { kind: 'waiting', why: 'its turn', lookInMs: LOOK_MS };
      case 'running':
        if (row.lease_ms > 0) return { kind: 'running', lookInMs: row.lease_ms };
        return settleLost(tx, ref, row, rules);
    }
  });
}

/** The lease lapsed: the job is taken from whoever held it. */
async function settleLost(tx: PoolClient, ref: JobRef, row: Row, rules: RetryRules): Promise<AttemptEnd> {
  const { attempts: attempt, alone, lost_alone: lostAlone } = row;
  const end = row.survived
    ? await settleFailure(tx, ref, attempt, LOST, rules)
    : await settleLoss(tx, ref, { attempt, alone, lostAlone }, rules);
  await writeOutbox(tx, [
    jobEvent('job.attempt-lost', ref, PLATFORM_ACTOR, { attempt, next: end.kind }, LOST.code),
  ]);
  return end;
}

function deadOf(last: AttemptError | undefined): AttemptEnd {
  return {
    kind: 'dead',
    code: last?.code ?? 'JOB_DEAD',
    message: last?.message ?? 'The job is dead.',
  };
}
