import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { applyMigrations, quoteIdentifier } from '../../database';
import { type Administrator, withDatabase } from './administrator';
import { ensureDatabase, ensureRole } from './ensure-role';
import { packageRoot } from './package-root';

/** Names in the control plane's cluster. */
export const PLATFORM = {
  database: 'chronawflow',
  /** Owns the tables and migrates them; nobody logs in as it. */
  owner: 'chronawflow_owner',
  /** What Chronawflow runs as. */
  role: 'chronawflow',
  /** What the controllers run as; without a password nobody logs in as it. */
  controlRole: 'chronawflow_control',
  /** What drops the oldest part of the audit log; without a password nobody logs in as it. */
  retentionRole: 'chronawflow_retention',
  /** What the sealer of the local stack runs as. */
  sealerRole: 'chronawflow_sealer',
  /** What an application's services share breakers and rate limits as; without a password nobody logs in as it. */
  serviceRole: 'chronawflow_service',
} as const;

/** What the sealer alone writes; everybody else reads it. */
const SEALED = [
  'audit_log',
  'audit_bundle',
  'audit_subtree',
  'audit_checkpoint',
  'audit_cosignature',
  'audit_seal',
] as const;

/** What the retention's role alone adds or takes. */
const DROPPED = 'audit_dropped';

export interface PlatformDatabase {
  /** Made when it does not exist. */
  readonly database: string;
  readonly role: string;
  /** undefined keeps the password that the role has. */
  readonly password: string | undefined;
  /** The role that seals the audit log, where it is not made by hand. */
  readonly sealer?: { readonly role: string; readonly password: string | undefined };
  /** The retention's login, where it is not made by hand. */
  readonly retention?: { readonly password: string | undefined };
  /** The controllers' login, where it is not made by hand. */
  readonly control?: { readonly password: string | undefined };
}

/** Database, roles, tables and rights of the control plane. May be repeated at any time, such as for a new release. */
export async function preparePlatformDatabase(
  administrator: Administrator,
  wanted: PlatformDatabase,
): Promise<void> {
  await withDatabase(administrator, 'postgres', async (superuser) => {
    await ensureRole(superuser, { name: PLATFORM.owner, login: false, password: undefined });
    await ensureRole(superuser, { name: wanted.role, password: wanted.password });
    const { sealer } = wanted;
    if (sealer !== undefined) await ensureRole(superuser, { name: sealer.role, password: sealer.password });
    await ensureRole(superuser, { name: PLATFORM.serviceRole, password: undefined });
    await ensureRole(superuser, { name: PLATFORM.retentionRole, password: wanted.retention?.password });
    await ensureRole(superuser, { name: PLATFORM.controlRole, password: wanted.control?.password });
    await ensureDatabase(superuser, { name: wanted.database, owner: PLATFORM.owner });
  });
  await withDatabase(
    administrator,
    wanted.database,
    async (owner) => {
      await applyMigrations(owner, 'platform');
      await grantPlatformRole(owner, wanted.role);
      if (wanted.sealer !== undefined) await grantSealerRole(owner, wanted.sealer.role);
      await grantRetentionRole(owner);
      await grantServiceRole(owner);
      await grantControlRole(owner);
    },
    PLATFORM.owner,
  );
  await withDatabase(administrator, wanted.database, async (superuser) => {
    await superuser.query(
      await readFile(join(packageRoot(), 'deploy/postgres/refused-attempts.sql'), 'utf8'),
    );
    await superuser.query(
      `grant execute on function chronawflow.server_logs(), chronawflow.refused_attempts(text, bigint) to ${quoteIdentifier(wanted.role)}`,
    );
  });
}

/**
 * The running role reads and writes everything but this: it adds events to the audit log and cannot change or remove
 * what is there, it reads what is sealed, and which migrations ran. Granted anew after each migration rather than by default
 * privileges, so that a new table is never writable before somebody has thought about it.
 */
async function grantPlatformRole(owner: Pool, name: string): Promise<void> {
  const role = quoteIdentifier(name);
  await owner.query(`
    grant usage on schema chronawflow to ${role};
    grant select, insert, update, delete on all tables in schema chronawflow to ${role};
    grant select, usage on all sequences in schema chronawflow to ${role};
    revoke update, delete on chronawflow.audit_event, chronawflow.operator_statement, chronawflow.used_intent from ${role};
    revoke insert, update, delete on ${[...SEALED, DROPPED].map((table) => `chronawflow.${table}`).join(', ')} from ${role};
    revoke update, delete on chronawflow.audit_retention from ${role};
    revoke delete on chronawflow.audit_personal, chronawflow.erasure, chronawflow.legal_hold from ${role};
    revoke delete on chronawflow.payload_owner, chronawflow.payload_key from ${role};
    revoke insert, update, delete on chronawflow.migration from ${role}`);
}

/** The sealer reads events and adds what it makes of them; the only rows it changes say how far it has come. */
async function grantSealerRole(owner: Pool, name: string): Promise<void> {
  const role = quoteIdentifier(name);
  await owner.query(`
    grant usage on schema chronawflow to ${role};
    grant select on chronawflow.audit_event, chronawflow.audit_personal, chronawflow.erasure, chronawflow.audit_place, chronawflow.${DROPPED}, ${SEALED.map((table) => `chronawflow.${table}`).join(', ')} to ${role};
    grant insert on chronawflow.audit_log, chronawflow.audit_bundle, chronawflow.audit_subtree,
      chronawflow.audit_checkpoint, chronawflow.audit_cosignature to ${role};
    grant update (size, edge) on chronawflow.audit_log to ${role};
    grant update on chronawflow.audit_seal to ${role}`);
}

/** Runs deploy/postgres/retention-role.sql as it is. */
async function grantRetentionRole(owner: Pool): Promise<void> {
  await owner.query(await readFile(join(packageRoot(), 'deploy/postgres/retention-role.sql'), 'utf8'));
}

/** Runs deploy/postgres/service-role.sql as it is. */
export async function grantServiceRole(owner: Pool): Promise<void> {
  await owner.query(await readFile(join(packageRoot(), 'deploy/postgres/service-role.sql'), 'utf8'));
}

/** Runs deploy/postgres/control-role.sql as it is. */
async function grantControlRole(owner: Pool): Promise<void> {
  await owner.query(await readFile(join(packageRoot(), 'deploy/postgres/control-role.sql'), 'utf8'));
}
