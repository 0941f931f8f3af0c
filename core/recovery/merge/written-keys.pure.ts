import type { QualifiedName } from '../../../database';
import { type AllCounts, countsOf, writesAllStaged } from '../diff/written-rows.pure';
import { type CatalogTable, type ForeignKey, tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';

/** The live catalog's part that this is about. */
interface Keys {
  readonly tables: readonly Pick<CatalogTable, 'schema' | 'name' | 'foreignKeys' | 'partitionKeys'>[];
}

/** A foreign key that rows to write take part in. */
export interface WrittenKey {
  readonly table: PlanTable;
  readonly key: ForeignKey;
  /** The key is of this partition alone. */
  readonly partition?: QualifiedName;
}

/**
 * Foreign keys whose columns the merge writes, of tables in which it writes rows; columns added since the target keep
 * their value and stay proved.
 */
export function writtenKeys(plan: SlicePlan, live: Keys, counts: AllCounts): WrittenKey[] {
  return plan.tables.flatMap((table) => {
    const { insert, update } = countsOf(counts, table);
    if (insert + update === 0) return [];
    const written = new Set(table.columns.map((column) => column.name));
    const catalog = live.tables.find((one) => tableName(one) === tableName(table));
    const all: WrittenKey[] = [
      ...(catalog?.foreignKeys ?? []).map((key) => ({ table, key })),
      ...(catalog?.partitionKeys ?? []).map((key) => ({ table, key, partition: key.partition })),
    ];
    return all.filter(({ key }) => key.columns.every((name) => written.has(name)));
  });
}

/** A foreign key that may be proved in staging, with the parent's table. */
export interface StagedKey extends WrittenKey {
  readonly parent: PlanTable;
}

/**
 * Keys that lead from a table that was lost whole to one of which every staged row is inserted, also when that is too
 * small to count as lost: the merge writes both as they are staged, so that they can be proved there.
 *
 * @param lost by table number
 */
export function keysBetweenLost(
  keys: readonly WrittenKey[],
  plan: SlicePlan,
  lost: ReadonlySet<number>,
  counts: AllCounts,
): StagedKey[] {
  return keys.flatMap((one) => {
    const parent = plan.tables.find((table) => tableName(table) === tableName(one.key.parent));
    if (parent === undefined || one.partition !== undefined) return [];
    if (!lost.has(one.table.n) || !writesAllStaged(parent, countsOf(counts, parent))) return [];
    const staged = one.key.parentColumns.every((name) =>
      parent.columns.some((column) => column.name === name),
    );
    return staged ? [{ ...one, parent }] : [];
  });
}
