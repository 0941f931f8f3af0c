import type { Pool } from 'pg';
import { messageOf } from '../../core/errors';

export interface WriterResult {
  readonly writes: number;
  readonly longestMs: number;
  readonly errors: readonly string[];
}

/**
 * Another tenant that writes all the time: the statements in a transaction, again and again, with a growing key in $1,
 * measuring how long each transaction took. Errors are gathered, not thrown, so that a test can say which it allows.
 */
export function startWriter(
  pool: Pool,
  statements: readonly string[],
  firstKey: number,
): { stop(): Promise<WriterResult> } {
  let stopped = false;
  const running = (async (): Promise<WriterResult> => {
    const client = await pool.connect();
    const errors: string[] = [];
    let longestMs = 0;
    let writes = 0;
    try {
      while (!stopped) {
        const start = performance.now();
        try {
          await client.query('begin');
          for (const statement of statements) await client.query(statement, [firstKey + writes]);
          await client.query('commit');
        } catch (error) {
          errors.push(messageOf(error));
          await client.query('rollback');
        }
        longestMs = Math.max(longestMs, performance.now() - start);
        writes++;
      }
    } finally {
      client.release();
    }
    return { writes, longestMs, errors };
  })();
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}
