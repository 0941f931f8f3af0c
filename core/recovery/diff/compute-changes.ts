import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { changesTable, previewTable, stageTable } from '../slice/restore-tables.pure';
import type { RestoreModes } from '../types';
import { type ChangesQuery, selectChanges } from './changes-sql.pure';
import { hasManyChanges } from './many-changes';

/** Where changes go: the preview's tables are unlogged, the merge's are kept for undo. */
export type ChangesKind = 'preview' | 'merge';

export function changesName(kind: ChangesKind, restoreId: string, table: PlanTable): string {
  return kind === 'preview' ? previewTable(restoreId, table) : changesTable(restoreId, table);
}

/**
 * Writes the differences between staging and the live slice of every table, under IMAGE_SETTINGS of the caller's
 * transaction. An earlier result of the same kind is replaced.
 */
export async function computeChanges(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  modes: RestoreModes,
  kind: ChangesKind,
): Promise<void> {
  const lookup = planLookup(plan);
  for (const table of plan.tables) {
    const name = changesName(kind, restoreId, table);
    await tx.query(`drop table if exists ${name}`);
    await moveForward(tx, restoreId, table);
    const query: ChangesQuery = { restoreId, table, undoOf: plan.undoOf, modes, tenant: '$1::text', lookup };
    const select = selectChanges(query);
    await tx.query(
      `create ${kind === 'preview' ? 'unlogged ' : ''}table ${name} as ${select.includes('$1') ? select : `${select} and $1::text is not null`}`,
      [plan.tenant],
    );
    await tx.query(`analyze ${name}`);
    await indexFewChanges(tx, name, table);
  }
}

/**
 * With few changes the planner loops over them, and a composite key's join is estimated at one row however many there
 * are: without an index each round would scan all changes (1,900 changes cost seconds). With many, loops are off
 * (bulk-settings.ts) and an index would only take time.
 */
async function indexFewChanges(tx: ClientBase, changes: string, table: PlanTable): Promise<void> {
  if (table.key.length === 0 || (await hasManyChanges(tx, changes))) return;
  await tx.query(`create unique index on ${changes} (${quoteList(table.key)})`);
}

/**
 * Invariant 12: a counter that the application may never hand out twice keeps the greater of both values, so the staged
 * row takes over the live one's before it is compared.
 */
async function moveForward(tx: ClientBase, restoreId: string, table: PlanTable): Promise<void> {
  if (table.forward.length === 0 || table.key.length === 0) return;
  const stage = stageTable(restoreId, table);
  const live = quoteQualified(table);
  for (const name of table.forward) {
    const column = quoteIdentifier(name);
    await tx.query(
      `update ${stage} s set ${column} = l.${column} from ${live} l where ${joinColumns(table.key, table.key, 's', 'l')} and l.${column} > s.${column}`,
    );
  }
}
