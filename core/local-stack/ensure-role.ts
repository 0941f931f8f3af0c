import type { Pool } from 'pg';
import { quoteIdentifier, quoteLiteral } from '../../database';

export interface WantedRole {
  readonly name: string;
  /** Default true. */
  readonly login?: boolean;
  /** undefined keeps what the role has. */
  readonly password: string | undefined;
  readonly bypassRls?: boolean;
}

/** Makes a role, or brings its password and attributes to what is asked for. */
export async function ensureRole(superuser: Pool, role: WantedRole): Promise<void> {
  const { rowCount } = await superuser.query('select from pg_roles where rolname = $1', [role.name]);
  const attributes = [
    (role.login ?? true) ? 'login' : 'nologin',
    role.bypassRls ? 'bypassrls' : 'nobypassrls',
    ...(role.password === undefined ? [] : [`password ${quoteLiteral(role.password)}`]),
  ];
  await superuser.query(
    `${rowCount === 0 ? 'create' : 'alter'} role ${quoteIdentifier(role.name)} ${attributes.join(' ')}`,
  );
}

/** CREATE DATABASE has no IF NOT EXISTS and cannot run in a transaction. */
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
