import type { Client, Pool, PoolConfig } from 'pg';
import { type TlsFiles, tlsOptions } from './tls';

/** Loaded with the first connection: a service that only wants a breaker does not have to have pg. */
const load: (name: 'pg') => typeof import('pg') = require;

/** How to reach one PostgreSQL database. `password` never appears in logs or errors. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Default off. On, the server's certificate and name are verified. */
  readonly ssl?: boolean | TlsFiles;
}

// Timestamps stay text: a JS Date has milliseconds, PostgreSQL has microseconds.
const TEXT_TYPES = ['TIMESTAMPTZ', 'TIMESTAMP', 'DATE'] as const;

export interface PoolOptions {
  /** Shown in pg_stat_activity, so that an operator sees who holds a lock. */
  readonly applicationName: string;
  readonly max?: number;
  readonly connectTimeoutMs?: number;
  /** A statement without an answer by then fails and its connection is given up: a server that has gone silent heeds no limit of its own. */
  readonly queryTimeoutMs?: number;
  /** Sent as session defaults when a connection starts. */
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

/** One connection outside any pool, kept alive: for LISTEN. It is not connected yet. */
export function createClient(
  connection: ConnectionSettings,
  { applicationName, connectTimeoutMs = 10_000 }: Pick<PoolOptions, 'applicationName' | 'connectTimeoutMs'>,
): Client {
  const { host, port, database, user, password, ssl = false } = connection;
  return new (load('pg').Client)({
    ...{ host, port, database, user, password, ssl: tlsOptions(host, ssl) },
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
}

/**
 * What every session begins with. Once statistics of a full queue are there, the planner takes a claim for costly enough to
 * be compiled: half a second of compiling for 5 ms of work.
 */
const SESSION = { TimeZone: 'UTC', DateStyle: 'ISO,MDY', jit: 'off' } as const;

/** A connection pool whose times are ISO 8601 text in UTC with microseconds, whatever the server's defaults are. */
export function createPool(connection: ConnectionSettings, options: PoolOptions): Pool {
  const { Pool, types } = load('pg');
  const textTypes = new Set<number>(TEXT_TYPES.map((name) => types.builtins[name]));
  const session = { ...SESSION, ...options.sessionSettings };
  const config: PoolConfig = {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    password: connection.password,
    ssl: tlsOptions(connection.host, connection.ssl ?? false),
    application_name: options.applicationName,
    max: options.max ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 10_000,
    ...(options.queryTimeoutMs !== undefined && { query_timeout: options.queryTimeoutMs }),
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
  // And one that was given up, or is between two statements: what its server still says must not end it either.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
