import type { Pool } from 'pg';
import { quoteIdentifier, quoteLiteral } from '../../database';

/** Makes a login role, or brings its password and attributes to what is asked for. */
export async function ensureRole(
  superuser: Pool,
  role: { readonly name: string; readonly password: string; readonly bypassRls?: boolean },
): Promise<void> {
  const { rowCount } = await superuser.query('select from pg_roles where rolname = $1', [role.name]);
  await superuser.query(
    `${rowCount === 0 ? 'create' : 'alter'} role ${quoteIdentifier(role.name)} login
       password ${quoteLiteral(role.password)} ${role.bypassRls ? 'bypassrls' : 'nobypassrls'}`,
  );
}

/** CREATE DATABASE has no IF NOT EXISTS and cannot run in a transaction; only one start holds the stack at a time. */
export async function ensureDatabase(
  superuser: Pool,
  database: { readonly name: string; readonly owner: string },
): Promise<void> {
  const { rowCount } = await superuser.query('select from pg_database where datname = $1', [database.name]);
  if (rowCount === 0) {
    await superuser.query(
      `create database ${quoteIdentifier(database.name)} owner ${quoteIdentifier(database.owner)}`,
    );
  }
}
