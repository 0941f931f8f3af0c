import type { Pool, PoolClient } from 'pg';

/**
 * Lends a session of the scratch cluster for one read. One whose COPY was given up half-way stands in the middle of data
 * that nobody takes: it would never answer a rollback, so it is closed instead.
 */
export async function readScratch<T>(scratch: Pool, work: (session: PoolClient) => Promise<T>): Promise<T> {
  const session = await scratch.connect();
  // A connection that is closed under a COPY says so here as well; the caller hears the first reason.
  const ignore = () => undefined;
  session.on('error', ignore);
  try {
    await session.query('begin read only');
    const result = await work(session);
    await session.query('commit');
    session.off('error', ignore);
    session.release();
    return result;
  } catch (error) {
    session.release(true);
    throw error;
  }
}
