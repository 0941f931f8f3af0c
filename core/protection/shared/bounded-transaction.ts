import type { Pool, PoolClient } from 'pg';
import { DatabaseSilentError } from './database-silent-error';

/** Statements of one round beside their own limits. */
const STATEMENTS = 6;

/**
 * One transaction that is over in a bounded time whatever the network does: a server that has gone silent heeds no
 * `statement_timeout`, so the connection is closed from here.
 */
export async function inBoundedTransaction<T>(
  pool: Pool,
  statementMs: number,
  work: (db: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // pg emits 'error' on a connection that breaks; the statement that waits for it says so as well.
  const ignore = () => undefined;
  client.on('error', ignore);
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_, reject) => {
    const limit = STATEMENTS * statementMs;
    timer = setTimeout(() => reject(new DatabaseSilentError(limit)), limit);
  });
  const release = (broken?: Error) => {
    clearTimeout(timer);
    client.off('error', ignore);
    client.release(broken);
  };
  try {
    const result = await Promise.race([transaction(client, statementMs, work), silent]);
    release();
    return result;
  } catch (error) {
    // Closed instead of rolled back: the server does the same, and a silent one would not answer.
    release(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function transaction<T>(
  client: PoolClient,
  statementMs: number,
  work: (db: PoolClient) => Promise<T>,
): Promise<T> {
  await client.query('begin');
  await client.query(
    `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true)`,
    [String(Math.ceil(statementMs))],
  );
  const result = await work(client);
  await client.query('commit');
  return result;
}
