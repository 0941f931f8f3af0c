import type { PoolClient } from 'pg';
import { type AttemptFailure, afterAttempt } from '../after-attempt.pure';
import type { AttemptEnd, JobRef, RetryPolicy } from '../types';
import { takeRetryBudget } from './retry-budget';

/** The errors of this many attempts are kept, the last ones. */
const ERRORS_KEPT = 10;

/** A workflow that nobody wakes looks by itself this long after its retry was due. */
const LOOK_AFTER_MS = 60_000;

export interface RetryRules {
  readonly retry: RetryPolicy;
  readonly retriesPerMinute: number;
  /** The process that settles: of its own attempts it knows that they did not end with it. */
  readonly process: string;
  /** Attempts in a row, lost while they ran alone, after which a job is held back. */
  readonly killsAlone: number;
  readonly random?: () => number;
}

/**
 * Ends an attempt badly, under the lock on its job's row: the error is kept, the permit is free, and the job waits for
 * its retry or is a dead letter (README.md, invariant 7).
 */
export async function settleFailure(
  tx: PoolClient,
  ref: JobRef,
  attempt: number,
  failure: AttemptFailure,
  rules: RetryRules,
): Promise<AttemptEnd> {
  const next = afterAttempt(rules.retry, attempt, failure, (rules.random ?? Math.random)());
  const at = [ref.tenant, ref.type, ref.key];
  if (next.kind === 'thaw') {
    await tx.query(
      `update chronawflow.job set state = 'waiting', waits_for = 'thaw', attempts = attempts - 1, lease_until = null,
         lost_with = null, lost_alone = 0,
         run_at = clock_timestamp() + $4 * interval '1 millisecond'
       where tenant = $1 and type = $2 and key = $3`,
      [...at, next.delayMs],
    );
    return { kind: 'waiting', why: 'the tenant is frozen', lookInMs: next.delayMs + LOOK_AFTER_MS };
  }
  await recordError(tx, ref, attempt, failure);
  if (next.kind === 'dead') {
    await bury(tx, ref, next.reason);
    return { kind: 'dead', code: failure.code, message: failure.message };
  }
  return waitForRetry(tx, ref, next.delayMs, failure.code, rules);
}

/** Keeps an attempt's error with its job, and takes any suspicion from the job: whoever ends with an error has not died of it. */
export async function recordError(
  tx: PoolClient,
  ref: JobRef,
  attempt: number,
  failure: Pick<AttemptFailure, 'code' | 'message'>,
): Promise<void> {
  await tx.query(
    `update chronawflow.job set lost_with = null, lost_alone = 0, errors = (
       select coalesce(jsonb_agg(e order by n), '[]')
       from jsonb_array_elements(errors || jsonb_build_object('attempt', $4::integer, 'code', $5::text,
              'message', $6::text, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
         with ordinality as all_errors (e, n)
       where n > jsonb_array_length(errors) + 1 - $7)
     where tenant = $1 and type = $2 and key = $3`,
    [ref.tenant, ref.type, ref.key, attempt, failure.code, failure.message.replaceAll('\0', ''), ERRORS_KEPT],
  );
}

/** Frees the permit until the delay is over and the tenant's retry budget has room. */
export async function waitForRetry(
  tx: PoolClient,
  ref: JobRef,
  delayMs: number,
  code: string,
  rules: RetryRules,
): Promise<AttemptEnd> {
  const wait = Math.max(delayMs, await takeRetryBudget(tx, ref.tenant, rules.retriesPerMinute));
  await tx.query(
    `update chronawflow.job set state = 'waiting', waits_for = 'retry', lease_until = null,
       run_at = clock_timestamp() + $4 * interval '1 millisecond'
     where tenant = $1 and type = $2 and key = $3`,
    [ref.tenant, ref.type, ref.key, wait],
  );
  return { kind: 'waiting', why: `retry after ${code}`, lookInMs: wait + LOOK_AFTER_MS };
}

/** Writes the dead letter of a job whose row is locked, and marks the job dead. */
export async function bury(tx: PoolClient, ref: JobRef, reason: string): Promise<void> {
  await tx.query(
    `with dead as (
       update chronawflow.job set state = 'dead', lease_until = null, waits_for = null,
         finished_at = clock_timestamp()
       where tenant = $1 and type = $2 and key = $3 returning tenant, type, key, attempts, errors)
     insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors)
     select tenant, type, key, $4, attempts, errors from dead`,
    [ref.tenant, ref.type, ref.key, reason],
  );
}
