import type { Pool } from 'pg';
import { applyMigrations, quoteIdentifier } from '../../database';
import { type LocalServer, withDatabase } from './connect';
import { ensureDatabase, ensureRole } from './ensure-role';

/** Names in the control plane's cluster. */
export const PLATFORM = {
  database: 'chronawflow',
  /** Owns the tables and migrates them; no process of Chronawflow runs as it. */
  owner: 'chronawflow_owner',
  /** What Chronawflow runs as. */
  role: 'chronawflow',
} as const;

export interface PlatformPasswords {
  readonly owner: string;
  readonly role: string;
}

/** Database, roles, tables and rights in the control plane's cluster. */
export async function preparePlatformDatabase(
  server: LocalServer,
  passwords: PlatformPasswords,
): Promise<void> {
  await withDatabase(server, { user: 'postgres', database: 'postgres' }, async (superuser) => {
    await ensureRole(superuser, { name: PLATFORM.owner, password: passwords.owner });
    await ensureRole(superuser, { name: PLATFORM.role, password: passwords.role });
    await ensureDatabase(superuser, { name: PLATFORM.database, owner: PLATFORM.owner });
  });
  await withDatabase(server, { user: PLATFORM.owner, database: PLATFORM.database }, async (owner) => {
    await applyMigrations(owner, 'platform');
    await grantPlatformRole(owner);
  });
}

/**
 * The running role reads and writes everything but two tables: it adds to the audit log and cannot change or remove
 * what is there, and it reads which migrations ran. Granted anew after each migration rather than by default
 * privileges, so that a new table is never writable before somebody has thought about it.
 */
async function grantPlatformRole(owner: Pool): Promise<void> {
  const role = quoteIdentifier(PLATFORM.role);
  await owner.query(`
    grant usage on schema chronawflow to ${role};
    grant select, insert, update, delete on all tables in schema chronawflow to ${role};
    grant select, usage on all sequences in schema chronawflow to ${role};
    revoke update, delete on chronawflow.audit_event from ${role};
    revoke insert, update, delete on chronawflow.migration from ${role}`);
}
