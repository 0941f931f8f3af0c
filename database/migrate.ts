import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks';

/** Loaded when something is migrated: most processes do not. */
const load: (name: 'umzug') => typeof import('umzug') = require;

/** The two databases that hold Chronawflow's own tables; see docs/architecture.md, "Where state lives". */
export type Plane = 'platform' | 'application';

/**
 * Brings the schema `chronawflow` of one database up to date: plain SQL files, each in its own transaction together
 * with the record that it ran. Safe to call from several processes at once.
 *
 * @returns the names of the migrations that ran now, in order.
 */
export async function applyMigrations(pool: Pool, plane: Plane): Promise<string[]> {
  const directory = join(__dirname, 'migrations', plane);
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migration]);
    try {
      await ensureHistory(client);
      const { Umzug } = load('umzug');
      const umzug = new Umzug({
        migrations: readdirSync(directory)
          .filter((file) => file.endsWith('.sql'))
          .sort()
          .map((name) => ({
            name,
            up: () => runInTransaction(client, name, readFileSync(join(directory, name), 'utf8')),
          })),
        // The record is written inside the migration's own transaction; umzug only has to read it.
        storage: {
          logMigration: async () => undefined,
          unlogMigration: async () => undefined,
          executed: async () =>
            (
              await client.query<{ name: string }>('select name from chronawflow.migration order by name')
            ).rows.map((row) => row.name),
        },
        logger: undefined,
      });
      return (await umzug.up()).map((migration) => migration.name);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.migration]);
    }
  } finally {
    client.release();
  }
}

/** Created only where absent, so that a role without CREATE on the database can migrate a schema made for it. */
async function ensureHistory(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regnamespace('chronawflow') is not null as there`,
  );
  if (!rows[0]?.there) await client.query('create schema if not exists chronawflow');
  await client.query(`create table if not exists chronawflow.migration (
    name text primary key,
    applied_at timestamptz not null default now()
  )`);
}

async function runInTransaction(client: PoolClient, name: string, sql: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into chronawflow.migration (name) values ($1)', [name]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
