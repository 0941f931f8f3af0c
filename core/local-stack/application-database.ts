import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { applyMigrations, quoteIdentifier } from '../../database';
import { type LocalServer, withDatabase } from './connect';
import { ensureDatabase, ensureRole } from './ensure-role';
import { packageRoot } from './package-root';

/** Names in the application's cluster. */
export const APPLICATION = {
  database: 'app',
  /** Owns the application's database and tables. */
  owner: 'app',
  /** The role that deploy/postgres/application-role.sql describes. */
  role: 'chronawflow',
} as const;

export interface ApplicationPasswords {
  readonly owner: string;
  readonly role: string;
}

/** Database, roles, rights and Chronawflow's own tables in the application's cluster. */
export async function prepareApplicationDatabase(
  server: LocalServer,
  passwords: ApplicationPasswords,
): Promise<void> {
  await withDatabase(server, { user: 'postgres', database: 'postgres' }, async (superuser) => {
    await ensureRole(superuser, { name: APPLICATION.owner, password: passwords.owner });
    await ensureRole(superuser, { name: APPLICATION.role, password: passwords.role, bypassRls: true });
    await ensureDatabase(superuser, { name: APPLICATION.database, owner: APPLICATION.owner });
  });
  await withDatabase(server, { user: 'postgres', database: APPLICATION.database }, async (superuser) => {
    // The schema public belongs to the database's owner, as in any application that migrates itself.
    await superuser.query(`alter schema public owner to ${quoteIdentifier(APPLICATION.owner)}`);
    await grantApplicationRole(superuser);
  });
  await withDatabase(server, { user: APPLICATION.role, database: APPLICATION.database }, (own) =>
    applyMigrations(own, 'application'),
  );
}

/**
 * Runs deploy/postgres/application-role.sql as it is, and gives the same rights on tables that the application's owner
 * makes later. Call it again when another role has made tables.
 */
export async function grantApplicationRole(superuser: Pool): Promise<void> {
  await superuser.query(await readFile(join(packageRoot(), 'deploy/postgres/application-role.sql'), 'utf8'));
  const owner = quoteIdentifier(APPLICATION.owner);
  const role = quoteIdentifier(APPLICATION.role);
  await superuser.query(`
    alter default privileges for role ${owner} in schema public
      grant select, insert, update, delete, trigger on tables to ${role};
    alter default privileges for role ${owner} in schema public grant select, usage on sequences to ${role}`);
}
