import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
  /** Limits for the transaction, in milliseconds; 0 means none. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
}

/** A connection that does not answer a rollback is in the middle of something nobody waits for any more. */
const ROLLBACK_LIMIT_MS = 10_000;

/**
 * Runs `work` in one transaction on one connection. Commits when it returns, rolls back when it throws.
 * A connection whose rollback fails, or that broke, is discarded instead of going back to the pool.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (tx: PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const client = await pool.connect();
  // pg emits 'error' on a checked-out client whose server goes away; the pending query reports it as well.
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query(opening(options));
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await rollBack(client).catch((rollbackError: Error) => {
      broken ??= rollbackError;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken ?? false);
  }
}

/** BEGIN and its limits in one message: a transaction of a few statements is mostly ways to the server and back. */
function opening({ isolation, readOnly, statementTimeoutMs, lockTimeoutMs }: TransactionOptions): string {
  const limit = (name: string, ms: number | undefined) =>
    ms === undefined ? [] : [`set local ${name} = ${Math.trunc(ms)}`];
  return [
    `begin isolation level ${isolation ?? 'read committed'}${readOnly ? ' read only' : ''}`,
    ...limit('statement_timeout', statementTimeoutMs),
    ...limit('lock_timeout', lockTimeoutMs),
  ].join('; ');
}

async function rollBack(client: PoolClient): Promise<void> {
  const limit = new AbortController();
  const tooLate = sleep(ROLLBACK_LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`no answer to ROLLBACK within ${ROLLBACK_LIMIT_MS} ms`);
  });
  try {
    await Promise.race([client.query('rollback'), tooLate]);
  } finally {
    limit.abort();
    tooLate.catch(() => {
      // The rollback was in time.
    });
  }
}
