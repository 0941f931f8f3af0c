import type { Pool } from 'pg';
import { type ConnectionSettings, createPool } from '../../database';

/** How a superuser reaches a server; the database is chosen per step. */
export type Administrator = Omit<ConnectionSettings, 'database'>;

/** Where a server of the stack listens: its local socket, which only the server user (and root) can reach. */
export interface LocalServer {
  readonly socketDirectory: string;
  readonly port: number;
}

/** Local sockets of the stack let everybody in who can reach them; see postgres-cluster.ts. */
export function localAdministrator(server: LocalServer): Administrator {
  return { host: server.socketDirectory, port: server.port, user: 'postgres' };
}

/** Runs `work` with a pool of one database and closes it; everything in it is done as `role`, if given. */
export async function withDatabase<T>(
  administrator: Administrator,
  database: string,
  work: (pool: Pool) => Promise<T>,
  role?: string,
): Promise<T> {
  const pool = createPool(
    { ...administrator, database },
    {
      applicationName: 'chronawflow prepare',
      max: 2,
      ...(role === undefined ? {} : { sessionSettings: { role } }),
    },
  );
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
