import type { Pool } from 'pg';
import { OLDEST_POSTGRES } from '../cluster';
import { broken, type Check, ok } from './finding';

/** Reaches a database and says which version answers. */
export function checkServer(name: string, pool: Pool, configKey: string): Check {
  return {
    name,
    fallbackFix: `Start the server, or correct ${configKey} in the configuration.`,
    look: async () => {
      const major = await serverMajor(pool);
      const { rows } = await pool.query<{ version: string; database: string; role: string }>(
        `select current_setting('server_version') as version, current_database() as database, current_user as role`,
      );
      const detail = rows.map((row) => `PostgreSQL ${row.version}, ${row.role} in ${row.database}`).join();
      return [
        major >= OLDEST_POSTGRES
          ? ok(name, detail)
          : broken(name, detail, `Upgrade to PostgreSQL ${OLDEST_POSTGRES} or later.`),
      ];
    },
  };
}

export async function serverMajor(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ number: number }>(
    `select current_setting('server_version_num')::int / 10000 as number`,
  );
  return rows[0]?.number ?? 0;
}
