import type { ClientBase } from 'pg';
import { type QualifiedName, quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { type AllCounts, countsOf, writtenRows } from '../diff/written-rows.pure';
import { ProofFailedError } from '../errors/proof-failed-error';
import { type Catalog, type ForeignKey, tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns, ownedBy } from '../slice/predicate.pure';
import type { Reference } from '../slice/read-references';
import { beforeTable, changesTable } from '../slice/restore-tables.pure';
import { staysInside } from '../slice/stays-inside.pure';

/**
 * Replica role skips foreign keys, so they are proved by query (invariant 16). Under READ COMMITTED each statement has a
 * new snapshot: parents outside the slice are locked FOR KEY SHARE first, as the foreign key's own trigger would, then
 * looked at; a concurrent insert of a child either waited for our delete or is visible to the last query.
 */
export async function lockOutsideParents(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  live: Catalog,
  counts: AllCounts,
): Promise<void> {
  const lookup = planLookup(plan);
  for (const { table, key } of writtenKeys(plan, live)) {
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
  live: Catalog,
  references: readonly Reference[],
  counts: AllCounts,
): Promise<void> {
  for (const { table, key, partition } of writtenKeys(plan, live)) {
    const set = key.columns.map((name) => `s.${quoteIdentifier(name)} is not null`).join(' and ');
    const inPartition =
      partition === undefined || table.key.length === 0
        ? ''
        : ` and exists (select from ${quoteQualified(partition)} q where ${joinColumns(table.key, table.key, 'q', 's')})`;
    const dangling = await count(
      tx,
      `select from ${written(restoreId, table, counts)}
       where ${set}${inPartition}
         and not exists (select from ${quoteQualified(key.parent)} p where ${joinColumns(key.parentColumns, key.columns, 'p', 's')})`,
    );
    if (dangling > 0)
      throw new ProofFailedError(
        `${dangling} row(s) of ${tableName(table)} would reference ${tableName(key.parent)} rows that are not there (${key.name})`,
      );
  }
  for (const reference of references) {
    const parent = plan.tables.find((table) => tableName(table) === reference.parent);
    if (parent === undefined || !(await anyBefore(tx, restoreId, parent))) continue;
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

async function anyBefore(tx: ClientBase, restoreId: string, table: PlanTable): Promise<boolean> {
  const { rows } = await tx.query<{ any: boolean }>(
    `select exists (select from ${beforeTable(restoreId, table)}) as any`,
  );
  return rows[0]?.any ?? false;
}

/** Foreign keys whose columns the merge writes; columns added since the target keep their value and stay proved. */
function writtenKeys(
  plan: SlicePlan,
  live: Catalog,
): {
  readonly table: PlanTable;
  readonly key: ForeignKey;
  readonly partition?: QualifiedName;
}[] {
  return plan.tables.flatMap((table) => {
    const written = new Set(table.columns.map((column) => column.name));
    const catalog = live.tables.find((one) => tableName(one) === tableName(table));
    const all = [
      ...(catalog?.foreignKeys ?? []).map((key) => ({ table, key })),
      ...(catalog?.partitionKeys ?? []).map((key) => ({ table, key, partition: key.partition })),
    ];
    return all.filter(({ key }) => key.columns.every((name) => written.has(name)));
  });
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
