import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { applyMigrations, inTransaction, quoteIdentifier } from '../../database';
import { type Administrator, withDatabase } from './administrator';
import { ensureDatabase, ensureRole } from './ensure-role';
import { packageRoot } from './package-root';

/** Names in the application's cluster of the local stack; the role's name is that of application-role.sql. */
export const APPLICATION = {
  database: 'app',
  /** Owns the application's database and tables. */
  owner: 'app',
  role: 'chronawflow',
} as const;

export interface ApplicationDatabase {
  readonly database: string;
  /** Schemas with tenant tables; default `public`. */
  readonly schemas?: readonly string[];
  /** undefined keeps the password that the role has. */
  readonly password: string | undefined;
}

/**
 * The role of the restore, its rights and Chronawflow's own tables in an application's database that exists. May be
 * repeated at any time, such as after a new release or after other roles made tables.
 */
export async function prepareApplicationDatabase(
  administrator: Administrator,
  wanted: ApplicationDatabase,
): Promise<void> {
  await withDatabase(administrator, wanted.database, async (superuser) => {
    await ensureRole(superuser, { name: APPLICATION.role, password: wanted.password, bypassRls: true });
    await grantApplicationRole(superuser, wanted.schemas);
  });
  await withDatabase(
    administrator,
    wanted.database,
    (own) => applyMigrations(own, 'application'),
    APPLICATION.role,
  );
}

/** Runs deploy/postgres/application-role.sql as it is. */
export async function grantApplicationRole(
  superuser: Pool,
  schemas: readonly string[] = ['public'],
): Promise<void> {
  const sql = await readFile(join(packageRoot(), 'deploy/postgres/application-role.sql'), 'utf8');
  await inTransaction(superuser, async (tx) => {
    await tx.query(`select set_config('chronawflow.schemas', $1, true)`, [schemas.join(',')]);
    await tx.query(sql);
  });
}

/** The application of the local stack: an owner, who is no superuser, and the database. */
export async function createLocalApplication(
  administrator: Administrator,
  ownerPassword: string,
): Promise<void> {
  const owner = quoteIdentifier(APPLICATION.owner);
  const role = quoteIdentifier(APPLICATION.role);
  await withDatabase(administrator, 'postgres', async (superuser) => {
    await ensureRole(superuser, { name: APPLICATION.owner, password: ownerPassword });
    await ensureDatabase(superuser, { name: APPLICATION.database, owner: APPLICATION.owner });
    // Made here already, because the rights below name it.
    await ensureRole(superuser, { name: APPLICATION.role, password: undefined, bypassRls: true });
  });
  await withDatabase(administrator, APPLICATION.database, async (superuser) => {
    // As in any application that migrates itself; and the restore's role has its rights on what the owner makes later.
    await superuser.query(`
      alter schema public owner to ${owner};
      alter default privileges for role ${owner} in schema public
        grant select, insert, update, delete, trigger on tables to ${role};
      alter default privileges for role ${owner} in schema public grant select, usage on sequences to ${role}`);
  });
}
