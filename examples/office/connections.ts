import type { Pool } from 'pg';
import { z } from 'zod';
import type { Config } from '../../config';
import { createPool } from '../../database';

const environment = z.object({
  OFFICE_SOCKETS: z.string(),
  OFFICE_APPLICATION_PORT: z.coerce.number(),
  OFFICE_PLATFORM_PORT: z.coerce.number(),
  OFFICE_STANDBY_PORT: z.coerce.number(),
  OFFICE_TAX_URL: z.url(),
});

/** The ways of the office. */
export interface Connections {
  /** As every request of the application goes: through the proxy, with limits. */
  readonly desk: Pool;
  /** Past the proxies, to find out what is true. */
  readonly application: Pool;
  readonly platform: Pool;
  readonly standby: Pool;
  readonly taxUrl: string;
}

/** A request waits so long for a connection, and a statement for its end. */
const CONNECT_MS = 1_500;
const STATEMENT_MS = 2_000;

export function openConnections(config: Config): Connections {
  const env = environment.parse(process.env);
  const direct = (port: number, database: string) =>
    createPool(
      { host: env.OFFICE_SOCKETS, port, database, user: 'postgres' },
      { applicationName: 'office ledger', max: 3, connectTimeoutMs: CONNECT_MS },
    );
  const { database } = config.application.database;
  return {
    desk: createPool(config.application.database, {
      applicationName: 'office desk',
      max: 4,
      connectTimeoutMs: CONNECT_MS,
      sessionSettings: { statement_timeout: String(STATEMENT_MS), search_path: 'public' },
    }),
    application: direct(env.OFFICE_APPLICATION_PORT, database),
    platform: direct(env.OFFICE_PLATFORM_PORT, config.platform.database.database),
    standby: direct(env.OFFICE_STANDBY_PORT, database),
    taxUrl: env.OFFICE_TAX_URL,
  };
}
