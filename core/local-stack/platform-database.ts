import type { Pool } from 'pg';
import { applyMigrations, quoteIdentifier } from '../../database';
import { type Administrator, withDatabase } from './administrator';
import { ensureDatabase, ensureRole } from './ensure-role';

/** Names in the control plane's cluster. */
export const PLATFORM = {
  database: 'chronawflow',
  /** Owns the tables and migrates them; nobody logs in as it. */
  owner: 'chronawflow_owner',
  /** What Chronawflow runs as. */
  role: 'chronawflow',
} as const;

export interface PlatformDatabase {
  /** Made when it does not exist. */
  readonly database: string;
  readonly role: string;
  /** undefined keeps the password that the role has. */
  readonly password: string | undefined;
}

/** Database, roles, tables and rights of the control plane. May be repeated at any time, such as for a new release. */
export async function preparePlatformDatabase(
  administrator: Administrator,
  wanted: PlatformDatabase,
): Promise<void> {
  await withDatabase(administrator, 'postgres', async (superuser) => {
    await ensureRole(superuser, { name: PLATFORM.owner, login: false, password: undefined });
    await ensureRole(superuser, { name: wanted.role, password: wanted.password });
    await ensureDatabase(superuser, { name: wanted.database, owner: PLATFORM.owner });
  });
  await withDatabase(
    administrator,
    wanted.database,
    async (owner) => {
      await applyMigrations(owner, 'platform');
      await grantPlatformRole(owner, wanted.role);
    },
    PLATFORM.owner,
  );
}

/**
 * The running role reads and writes everything but two tables: it adds to the audit log and cannot change or remove
 * what is there, and it reads which migrations ran. Granted anew after each migration rather than by default
 * privileges, so that a new table is never writable before somebody has thought about it.
 */
async function grantPlatformRole(owner: Pool, name: string): Promise<void> {
  const role = quoteIdentifier(name);
  await owner.query(`
    grant usage on schema chronawflow to ${role};
    grant select, insert, update, delete on all tables in schema chronawflow to ${role};
    grant select, usage on all sequences in schema chronawflow to ${role};
    revoke update, delete on chronawflow.audit_event from ${role};
    revoke insert, update, delete on chronawflow.migration from ${role}`);
}
