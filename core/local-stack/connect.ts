import type { Pool } from 'pg';
import { createPool } from '../../database';

/** Where a server of the stack listens: its local socket, which only the server user (and root) can reach. */
export interface LocalServer {
  readonly socketDirectory: string;
  readonly port: number;
}

/** Runs `work` with a pool of one database over the local socket, and closes it. */
export async function withDatabase<T>(
  server: LocalServer,
  login: { readonly user: string; readonly database: string },
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createPool(
    { host: server.socketDirectory, port: server.port, ...login },
    { applicationName: 'chronawflow local stack', max: 2 },
  );
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
