import type { ClientBase, Pool } from 'pg';
import { quoteIdentifier } from '../../../database';
import { type RestoreTableKind, restoreTableName, restoreTablePattern } from '../slice/restore-tables.pure';

/** Dropped in one transaction: each takes a lock, and max_locks_per_transaction is 64 by default. */
const DROP_BATCH = 20;

interface Relation {
  readonly name: string;
  readonly kind: 'v' | 'r';
}

const FIND = `select relname as name, relkind as kind from pg_class
  where relnamespace = 'chronawflow'::regnamespace and relkind in ('r', 'v')`;

/** Drops what a restore has made of these kinds, a view before the tables that it reads. */
export async function dropRestoreRelations(
  db: Pool | ClientBase,
  restoreId: string,
  kinds: readonly RestoreTableKind[],
): Promise<void> {
  const { rows } = await db.query<Relation>(`${FIND} and relname like any ($1) order by relname`, [
    kinds.map((kind) => restoreTablePattern(restoreId, kind)),
  ]);
  await drop(db, rows);
}

/** Drops the changes of these tables, by number, that an earlier merge has left, whether they are packed or not. */
export async function dropChanges(
  tx: ClientBase,
  restoreId: string,
  tables: readonly number[],
): Promise<void> {
  const { rows } = await tx.query<Relation>(`${FIND} and relname = any ($1) order by relname`, [
    tables.flatMap((n) => [
      restoreTableName(restoreId, 'changes', n),
      restoreTableName(restoreId, 'packed', n),
    ]),
  ]);
  await drop(tx, rows);
}

async function drop(db: Pool | ClientBase, relations: readonly Relation[]): Promise<void> {
  for (const [kind, what] of [
    ['v', 'view'],
    ['r', 'table'],
  ] as const) {
    const names = relations
      .filter((relation) => relation.kind === kind)
      .map((relation) => `chronawflow.${quoteIdentifier(relation.name)}`);
    for (let i = 0; i < names.length; i += DROP_BATCH)
      await db.query(`drop ${what} if exists ${names.slice(i, i + DROP_BATCH).join(', ')}`);
  }
}
