import type { ClientBase } from 'pg';
import { quoteList } from '../../../database';
import { type AllCounts, countsOf } from '../diff/written-rows.pure';
import { ProofFailedError } from '../errors/proof-failed-error';
import { type Catalog, tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { beforeTable, changesTable } from '../slice/restore-tables.pure';
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
    if (catalog !== undefined) await markRewrites(tx, restoreId, scope.table, catalog);
    const plannedHere = await countPlanned(tx, scope);
    planned.set(tableName(scope.table), plannedHere);
    await keepPreimages(tx, scope, plannedHere);
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

async function keepPreimages(tx: ClientBase, scope: WriteScope, counts: Planned): Promise<void> {
  const before = beforeTable(scope.restoreId, scope.table);
  const any = counts.updates + counts.rewrites + counts.deletes > 0;
  await tx.query(`${keepBefore(scope)}${any ? '' : ' with no data'}`);
  if (scope.table.key.length > 0)
    await tx.query(`alter table ${before} add primary key (${quoteList(scope.table.key)})`);
  if (any) await tx.query(`analyze ${before}`);
}

async function countPlanned(
  tx: ClientBase,
  { restoreId, table }: { readonly restoreId: string; readonly table: PlanTable },
): Promise<Planned> {
  const { rows } = await tx.query<Record<keyof Planned, string>>(
    `select count(*) filter (where chronawflow_op = 'i') as inserts, count(*) filter (where chronawflow_op = 'u' and not chronawflow_rewrite) as updates,
            count(*) filter (where chronawflow_op = 'u' and chronawflow_rewrite) as rewrites, count(*) filter (where chronawflow_op = 'd') as deletes
     from ${changesTable(restoreId, table)} where not chronawflow_skip`,
  );
  const row = rows[0];
  return {
    inserts: Number(row?.inserts ?? 0),
    updates: Number(row?.updates ?? 0),
    rewrites: Number(row?.rewrites ?? 0),
    deletes: Number(row?.deletes ?? 0),
  };
}
