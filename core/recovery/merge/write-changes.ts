import type { ClientBase } from 'pg';
import { quoteList } from '../../../database';
import { type AllCounts, countsOf } from '../diff/written-rows.pure';
import { ProofFailedError } from '../errors/proof-failed-error';
import { type Catalog, tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { SlicePlan } from '../slice/plan-types';
import { beforeTable } from '../slice/restore-tables.pure';
import type { MergeResult } from '../types';
import { markRewrites } from './mark-rewrites';
import {
  deleteRows,
  insertRows,
  keepBefore,
  reinsertRows,
  updateRows,
  type WriteScope,
} from './write-sql.pure';

type WrittenRows = Extract<MergeResult, { kind: 'merged' }>['rows'];

interface Planned {
  readonly inserts: number;
  readonly updates: number;
  readonly rewrites: number;
  readonly deletes: number;
}

/**
 * Table by table, children before parents: whose a row is, is read from the row itself and from the rows on its path to the
 * tenant, so a table is written while all tables above it are untouched (an update of the parent may point it at a row that
 * comes only later). Then inserts, parents first. Unique values that are exchanged between rows go through delete and
 * insert, so no order of single rows can trip over them.
 */
export async function writeChanges(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  live: Catalog,
  counts: AllCounts,
): Promise<WrittenRows> {
  const lookup = planLookup(plan);
  const scopes: WriteScope[] = plan.tables.map((table) => ({
    restoreId,
    table,
    lookup,
    counts: countsOf(counts, table),
  }));
  const deepestFirst = [...scopes].reverse();
  const planned = new Map<string, Planned>();
  for (const scope of scopes) {
    const catalog = live.tables.find((table) => tableName(table) === tableName(scope.table));
    const { insert, update, delete: deletes } = scope.counts;
    const rewrites =
      catalog === undefined || update === 0 ? 0 : await markRewrites(tx, restoreId, scope.table, catalog);
    planned.set(tableName(scope.table), { inserts: insert, updates: update - rewrites, rewrites, deletes });
    if (update + deletes > 0) await keepPreimages(tx, scope);
  }
  const write = async (
    scope: WriteScope,
    what: string,
    sql: string | undefined,
    rows: (planned: Planned) => number,
  ) => {
    const want = rows(
      planned.get(tableName(scope.table)) ?? { inserts: 0, updates: 0, rewrites: 0, deletes: 0 },
    );
    if (want === 0) return;
    const written = sql === undefined ? 0 : ((await tx.query(sql, [plan.tenant])).rowCount ?? 0);
    if (written !== want)
      throw new ProofFailedError(
        `${what} ${written} row(s) of ${tableName(scope.table)} instead of ${want}; the others are not the tenant's`,
      );
  };
  for (const scope of deepestFirst) {
    await write(scope, 'updated', updateRows(scope), (p) => p.updates);
    await write(scope, 'deleted', deleteRows(scope), (p) => p.deletes + p.rewrites);
  }
  for (const scope of scopes) {
    await write(scope, 'inserted', insertRows(scope), (p) => p.inserts);
    await write(scope, 'rewrote', reinsertRows(scope), (p) => p.rewrites);
  }
  return plan.tables.map((table) => {
    const done = planned.get(tableName(table));
    return {
      table: tableName(table),
      inserted: done?.inserts ?? 0,
      updated: (done?.updates ?? 0) + (done?.rewrites ?? 0),
      deleted: done?.deletes ?? 0,
    };
  });
}

/** Only of tables from which something goes: others have none, which is cheaper than an empty one. */
async function keepPreimages(tx: ClientBase, scope: WriteScope): Promise<void> {
  const before = beforeTable(scope.restoreId, scope.table);
  const { key } = scope.table;
  await tx.query(
    [
      keepBefore(scope),
      ...(key.length > 0 ? [`alter table ${before} add primary key (${quoteList(key)})`] : []),
      `analyze ${before}`,
    ].join('; '),
  );
}
