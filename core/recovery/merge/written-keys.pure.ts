import type { QualifiedName } from '../../../database';
import { type AllCounts, countsOf } from '../diff/written-rows.pure';
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

/**
 * Keys that lead from one table that was lost whole to another: the merge inserts both as they are staged, so that they can
 * be proved in staging.
 *
 * @param lost by table number
 * @returns the keys, each with its parent
 */
export function keysBetweenLost(
  keys: readonly WrittenKey[],
  plan: SlicePlan,
  lost: ReadonlySet<number>,
): (WrittenKey & { readonly parent: PlanTable })[] {
  return keys.flatMap((one) => {
    const parent = plan.tables.find((table) => tableName(table) === tableName(one.key.parent));
    if (parent === undefined || one.partition !== undefined) return [];
    if (!lost.has(one.table.n) || !lost.has(parent.n)) return [];
    const staged = one.key.parentColumns.every((name) =>
      parent.columns.some((column) => column.name === name),
    );
    return staged ? [{ ...one, parent }] : [];
  });
}
