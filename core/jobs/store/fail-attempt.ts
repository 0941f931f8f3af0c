import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import type { AttemptFailure } from '../after-attempt.pure';
import type { AttemptEnd } from '../types';
import type { BeginRequest } from './begin-attempts';
import { type RetryRules, settleFailure } from './settle-failure';

/**
 * The attempt itself tells that it failed.
 *
 * @returns undefined when it had lost its permit before: what becomes of the job is not its to say
 */
export function failAttempt(
  pool: Pool,
  attempt: BeginRequest,
  failure: AttemptFailure,
  rules: RetryRules,
): Promise<AttemptEnd | undefined> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ attempts: number }>(
      `select attempts from chronawflow.job
       where tenant = $1 and type = $2 and key = $3 and owner = $4
         and state = 'running' and lease_until > clock_timestamp()
       for update`,
      [attempt.tenant, attempt.type, attempt.key, attempt.owner],
    );
    const row = rows[0];
    return row === undefined ? undefined : settleFailure(tx, attempt, row.attempts, failure, rules);
  });
}
