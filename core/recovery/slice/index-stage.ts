import type { ClientBase, Pool } from 'pg';
import { quoteIdentifier, quoteList } from '../../../database';
import type { PlanTable } from './plan-types';
import { restoreTableName, stageTable } from './restore-tables.pure';

/** The staged rows' key, by which changes find them. Nothing happens when it is there, or when the table has none. */
export async function indexStage(
  db: Pool | ClientBase,
  restoreId: string,
  table: Pick<PlanTable, 'n' | 'key'>,
): Promise<void> {
  if (table.key.length === 0) return;
  const name = quoteIdentifier(`${restoreTableName(restoreId, 'stage', table.n)}_key`);
  await db.query(
    `create unique index if not exists ${name} on ${stageTable(restoreId, table)} (${quoteList(table.key)})`,
  );
}
