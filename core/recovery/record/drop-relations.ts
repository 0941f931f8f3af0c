import type { ClientBase, Pool } from 'pg';
import { quoteIdentifier } from '../../../database';
import { type RestoreTableKind, restoreTablePattern } from '../slice/restore-tables.pure';

/** Dropped in one transaction: each takes a lock, and max_locks_per_transaction is 64 by default. */
const DROP_BATCH = 20;

/** Drops what a restore has made of these kinds, a view before the tables that it reads. */
export async function dropRestoreRelations(
  db: Pool | ClientBase,
  restoreId: string,
  kinds: readonly RestoreTableKind[],
): Promise<void> {
  const { rows } = await db.query<{ name: string; kind: 'v' | 'r' }>(
    `select relname as name, relkind as kind from pg_class
     where relnamespace = 'chronawflow'::regnamespace and relkind in ('r', 'v') and relname like any ($1) order by relname`,
    [kinds.map((kind) => restoreTablePattern(restoreId, kind))],
  );
  for (const [kind, what] of [
    ['v', 'view'],
    ['r', 'table'],
  ] as const) {
    const names = rows
      .filter((row) => row.kind === kind)
      .map((row) => `chronawflow.${quoteIdentifier(row.name)}`);
    for (let i = 0; i < names.length; i += DROP_BATCH)
      await db.query(`drop ${what} if exists ${names.slice(i, i + DROP_BATCH).join(', ')}`);
  }
}
