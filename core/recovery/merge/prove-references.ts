import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { type AllCounts, countsOf, writtenRows } from '../diff/written-rows.pure';
import { ProofFailedError } from '../errors/proof-failed-error';
import { tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns, ownedBy } from '../slice/predicate.pure';
import type { Reference } from '../slice/read-references';
import { beforeTable, changesTable } from '../slice/restore-tables.pure';
import { staysInside } from '../slice/stays-inside.pure';
import type { WrittenKey } from './written-keys.pure';

/**
 * Replica role skips foreign keys, so they are proved by query (invariant 16). Under READ COMMITTED each statement has a
 * new snapshot: parents outside the slice are locked FOR KEY SHARE first, as the foreign key's own trigger would, then
 * looked at; a concurrent insert of a child either waited for our delete or is visible to the last query.
 */
export async function lockOutsideParents(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  keys: readonly WrittenKey[],
  counts: AllCounts,
): Promise<void> {
  const lookup = planLookup(plan);
  for (const { table, key } of keys) {
    const parent = plan.tables.find((one) => tableName(one) === tableName(key.parent));
    if (parent !== undefined && staysInside(table, key, parent)) continue;
    const outside =
      parent === undefined
        ? '$1::text is not null'
        : `(${ownedBy(parent, 'p', '$1::text', lookup)}) is not true and $1::text is not null`;
    await tx.query(
      `select from ${quoteQualified(key.parent)} p where ${outside} and (${quoteList(key.parentColumns, 'p.')}) in (
         select ${quoteList(key.columns, 's.')} from ${written(restoreId, table, counts)})
       for key share of p`,
      [plan.tenant],
    );
  }
}

/** Every written row has its parents, and nobody references a row that went. */
export async function proveReferences(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  keys: readonly WrittenKey[],
  references: readonly Reference[],
  counts: AllCounts,
): Promise<void> {
  for (const one of keys)
    await proveKey(tx, one, written(restoreId, one.table, counts), quoteQualified(one.key.parent));
  for (const reference of references) {
    const parent = plan.tables.find((table) => tableName(table) === reference.parent);
    if (parent === undefined || !replaces(counts, parent)) continue;
    if (!reference.parentColumns.every((name) => parent.liveColumns.some((column) => column.name === name)))
      continue;
    const orphans = await count(
      tx,
      `select from ${beforeTable(restoreId, parent)} b join ${quoteQualified(reference.child)} k on ${joinColumns(reference.columns, reference.parentColumns, 'k', 'b')}
       where not exists (select from ${quoteQualified(parent)} p where ${joinColumns(reference.parentColumns, reference.parentColumns, 'p', 'b')})`,
    );
    if (orphans > 0)
      throw new ProofFailedError(
        `${orphans} row(s) of ${tableName(reference.child)} would lose the ${reference.parent} row they reference (${reference.constraint})`,
      );
  }
}

/** @throws ProofFailedError */
async function proveKey(tx: ClientBase, one: WrittenKey, rows: string, parents: string): Promise<void> {
  const dangling = await danglingRows(tx, one, rows, parents);
  if (dangling === 0) return;
  const { table, key } = one;
  throw new ProofFailedError(
    `${dangling} row(s) of ${tableName(table)} would reference ${tableName(key.parent)} rows that are not there (${key.name})`,
  );
}

/**
 * How many rows of `rows` have the key and find no parent in `parents`; not counted beyond 1,000.
 *
 * @param rows an item of a FROM clause, as `s`
 * @param parents quoted name of a table with the parent's columns
 */
export async function danglingRows(
  tx: ClientBase,
  { table, key, partition }: WrittenKey,
  rows: string,
  parents: string,
): Promise<number> {
  const set = key.columns.map((name) => `s.${quoteIdentifier(name)} is not null`).join(' and ');
  const inPartition =
    partition === undefined || table.key.length === 0
      ? ''
      : ` and exists (select from ${quoteQualified(partition)} q where ${joinColumns(table.key, table.key, 'q', 's')})`;
  return count(
    tx,
    `select from ${rows}
     where ${set}${inPartition}
       and not exists (select from ${parents} p where ${joinColumns(key.parentColumns, key.columns, 'p', 's')})`,
  );
}

/** Rows of the table went or were overwritten, so that it has pre-images. */
function replaces(counts: AllCounts, table: PlanTable): boolean {
  const { update, delete: gone } = countsOf(counts, table);
  return update + gone > 0;
}

/** The rows that were written, as `s`. */
function written(restoreId: string, table: PlanTable, counts: AllCounts): string {
  return writtenRows(
    { restoreId, table, changes: changesTable(restoreId, table), counts: countsOf(counts, table) },
    's',
  );
}

async function count(tx: ClientBase, select: string): Promise<number> {
  const { rows } = await tx.query<{ count: string }>(`select count(*) from (${select} limit 1000) found`);
  return Number(rows[0]?.count ?? 0);
}
