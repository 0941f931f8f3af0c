import type { PoolClient } from 'pg';
import { afterLoss, type Loss } from '../after-loss.pure';
import { retryDelayMs } from '../retry-delay.pure';
import type { AttemptEnd, JobRef } from '../types';
import { holdJob } from './holds';
import { bury, type RetryRules, recordError, waitForRetry } from './settle-failure';

/** As an error of the job. */
export const LOST = {
  code: 'ATTEMPT_LOST',
  names: ['ATTEMPT_LOST'],
  message: 'The attempt ended without a word: its worker was killed, stalled, or lost the database.',
  final: false,
} as const;

/**
 * Ends an attempt whose process gave no sign since its lease was over, under the lock on its job's row: the job runs again,
 * alone, or is held back because it took its process with it every time that it was alone (README.md, invariant 12).
 */
export async function settleLoss(
  tx: PoolClient,
  ref: JobRef,
  loss: Loss,
  rules: RetryRules,
): Promise<AttemptEnd> {
  await recordError(tx, ref, loss.attempt, LOST);
  const next = afterLoss(rules.retry, loss, rules.killsAlone);
  if (next.kind === 'dead') {
    await bury(tx, ref, next.reason);
    return { kind: 'dead', code: LOST.code, message: LOST.message };
  }
  await tx.query(
    `update chronawflow.job set attempts = attempts - 1, lost_with = split_part(owner, '/', 1), lost_at = lease_until,
       lost_alone = $4
     where tenant = $1 and type = $2 and key = $3`,
    [ref.tenant, ref.type, ref.key, next.lostAlone],
  );
  if (next.kind === 'quarantine') await holdJob(tx, ref, killedAlone(next.lostAlone));
  const delayMs = retryDelayMs(rules.retry, loss.attempt, (rules.random ?? Math.random)());
  return waitForRetry(tx, ref, delayMs, LOST.code, rules);
}

function killedAlone(times: number): string {
  return `its process died ${times === 1 ? 'once' : `${times} times in a row`} while it ran alone`;
}
