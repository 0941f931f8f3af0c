import { Pool, type PoolConfig, types } from 'pg';

/** How to reach one PostgreSQL database. `password` never appears in logs or errors. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  readonly ssl?: boolean;
}

// Timestamps stay text: a JS Date has milliseconds, PostgreSQL has microseconds.
const textTypes = new Set<number>([
  types.builtins.TIMESTAMPTZ,
  types.builtins.TIMESTAMP,
  types.builtins.DATE,
]);

export interface PoolOptions {
  /** Shown in pg_stat_activity, so that an operator sees who holds a lock. */
  readonly applicationName: string;
  readonly max?: number;
  readonly connectTimeoutMs?: number;
  /** Sent as session defaults when a connection starts. */
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

/** A connection pool whose times are ISO 8601 text in UTC with microseconds, whatever the server's defaults are. */
export function createPool(connection: ConnectionSettings, options: PoolOptions): Pool {
  const session = { TimeZone: 'UTC', DateStyle: 'ISO,MDY', ...options.sessionSettings };
  const config: PoolConfig = {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    password: connection.password,
    ssl: connection.ssl ?? false,
    application_name: options.applicationName,
    max: options.max ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 10_000,
    options: Object.entries(session)
      .map(([name, value]) => `-c ${name}=${value.replaceAll(/([\\ ])/g, '\\$1')}`)
      .join(' '),
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        textTypes.has(oid)
          ? (value: string) => value
          : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  };
  const pool = new Pool(config);
  // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
