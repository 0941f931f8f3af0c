import type { Pool } from 'pg';
import { applyMigrations, type ConnectionSettings } from '../../database';
import { building } from './clean-up';
import { startPostgres } from './real-postgres';

/** The database of idempotent-server.ts: its tables, and those of idempotent requests. */
export interface IdempotentInvoices {
  /** As superuser. */
  readonly pool: Pool;
  readonly connection: ConnectionSettings;
  count(): Promise<number>;
  /** Empties every table. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

export function startIdempotentInvoices(): Promise<IdempotentInvoices> {
  return building(async (cleanUp) => {
    const postgres = await startPostgres();
    cleanUp.add(() => postgres.stop());
    await postgres.createDatabase('app');
    const pool = postgres.connect('app', 'postgres', 20);
    await applyMigrations(pool, 'application');
    await pool.query(
      'create table invoice (id integer generated always as identity, tenant text, body jsonb); create table go ()',
    );
    return {
      pool,
      connection: postgres.connection('app'),
      count: async () => (await pool.query('select from invoice')).rowCount ?? 0,
      empty: async () => {
        await pool.query('truncate invoice, go, chronawflow.idempotency, chronawflow.audit_outbox');
      },
      stop: () => cleanUp.run(),
    };
  });
}

export interface Ask {
  /** The field `Idempotency-Key` as it is sent. */
  readonly key?: string;
  readonly tenant?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Sends requests to a server that does something once. */
export const asking =
  (address: string) =>
  (path: string, { key, tenant = 'a', body = { amount: 5 }, signal }: Ask = {}): Promise<Response> =>
    fetch(`${address}${path}`, {
      method: 'POST',
      signal,
      headers: {
        'content-type': 'application/json',
        'x-tenant': tenant,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
