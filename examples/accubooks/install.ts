import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { inTransaction, quoteLiteral } from '../../database';

/** The role that owns AccuBooks' tables and that the application connects as; never a superuser. */
export const ACCUBOOKS_ROLE = 'accubooks';

export interface InstallOptions {
  /** Password of the role `accubooks`; without it the server's pg_hba.conf has to let the role in. */
  readonly password?: string;
}

/**
 * Creates the role and all tables in schema `public` of the pool's database, in one transaction.
 * Does nothing where AccuBooks is installed already.
 *
 * @param pool connects as a superuser: it creates a role and acts as that role.
 */
export async function installAccuBooks(
  pool: Pool,
  options: InstallOptions = {},
): Promise<'installed' | 'present'> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ present: boolean; role: boolean }>(
      `select to_regclass('public.organisations') is not null as present, to_regrole($1) is not null as role`,
      [ACCUBOOKS_ROLE],
    );
    if (rows[0]?.present) return 'present';
    if (!rows[0]?.role) await tx.query(`create role ${ACCUBOOKS_ROLE} login`);
    if (options.password !== undefined) {
      await tx.query(`alter role ${ACCUBOOKS_ROLE} password ${quoteLiteral(options.password)}`);
    }
    await tx.query(`grant usage, create on schema public to ${ACCUBOOKS_ROLE}`);
    await tx.query(`set local role ${ACCUBOOKS_ROLE}`);
    await tx.query('set local search_path = public');
    for (const sql of schemaFiles()) await tx.query(sql);
    return 'installed';
  });
}

function schemaFiles(): string[] {
  const directory = join(__dirname, 'schema');
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8'));
}
