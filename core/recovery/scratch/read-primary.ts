import type { Pool } from 'pg';
import { AT_LEAST_AS_PRIMARY, type PrimaryLimits } from './server-settings.pure';

export interface PrimaryFacts {
  readonly limits: PrimaryLimits;
  /** The bootstrap superuser by its present name; it may have had another one at the target. */
  readonly superuser: string;
  readonly major: number;
}

export async function readPrimary(application: Pool): Promise<PrimaryFacts> {
  const settings = await application.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any ($1)',
    [AT_LEAST_AS_PRIMARY],
  );
  const value = (name: string): number =>
    Number(settings.rows.find((row) => row.name === name)?.setting ?? 0);
  // 10 is the OID of the bootstrap superuser in every cluster (BOOTSTRAP_SUPERUSERID in pg_authid.dat).
  const { rows } = await application.query<{ superuser: string; version_num: string }>(
    `select rolname as superuser, current_setting('server_version_num') as version_num from pg_roles where oid = 10`,
  );
  return {
    limits: {
      max_connections: value('max_connections'),
      max_worker_processes: value('max_worker_processes'),
      max_wal_senders: value('max_wal_senders'),
      max_prepared_transactions: value('max_prepared_transactions'),
      max_locks_per_transaction: value('max_locks_per_transaction'),
    },
    superuser: rows[0]?.superuser ?? 'postgres',
    major: Math.trunc(Number(rows[0]?.version_num ?? 0) / 10_000),
  };
}
