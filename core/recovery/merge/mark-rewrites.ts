import type { ClientBase } from 'pg';
import { quoteQualified } from '../../../database';
import { mayDiffer } from '../diff/image.pure';
import type { CatalogTable } from '../slice/catalog-types';
import type { PlanTable } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { changesTable, stageTable } from '../slice/restore-tables.pure';

/**
 * Invariant 18: an UPDATE that swaps two unique values fails half-way, and an ALWAYS identity cannot be updated at all.
 * Nor can a key whose image changed and whose value did not (citext, numeric 1.0 and 1.00) by a join on it. Rows in which such a column changes are deleted and inserted again within the merge.
 */
export async function markRewrites(
  tx: ClientBase,
  restoreId: string,
  table: PlanTable,
  live: CatalogTable,
): Promise<number> {
  const columns = rewriteColumns(table, live);
  if (table.key.length === 0 || columns.length === 0) return 0;
  const { rowCount } = await tx.query(
    `update ${changesTable(restoreId, table)} c set chronawflow_rewrite = true
     from ${stageTable(restoreId, table)} s, ${quoteQualified(table)} l
     where c.chronawflow_op = 'u' and not c.chronawflow_skip and ${joinColumns(table.key, table.key, 's', 'c')} and ${joinColumns(table.key, table.key, 'l', 'c')}
       and ${mayDiffer(columns, 's', 'l')}`,
  );
  return rowCount ?? 0;
}

/** Columns of unique indexes and exclusion constraints beside the key, ALWAYS identities outside it, inexact keys. */
export function rewriteColumns(table: PlanTable, live: CatalogTable): PlanTable['columns'] {
  const guarded = new Set(
    [...live.uniques.filter((unique) => !sameColumns(unique.columns, table.key)), ...live.exclusions].flatMap(
      (one) => one.dependsOn,
    ),
  );
  return table.columns.filter((column) =>
    table.key.includes(column.name)
      ? !column.exactEquality
      : guarded.has(column.name) || column.identityAlways,
  );
}

function sameColumns(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((name, i) => name === b[i]);
}
