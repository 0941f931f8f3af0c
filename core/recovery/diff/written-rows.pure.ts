import type { PlanTable } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { stageTable } from '../slice/restore-tables.pure';

/** What becomes of one table, without the changes that a decision skips. */
export interface ChangeCounts {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
}

/** By table number. */
export type AllCounts = ReadonlyMap<number, ChangeCounts>;

const NO_CHANGES: ChangeCounts = { insert: 0, update: 0, delete: 0 };

export function countsOf(counts: AllCounts, table: { readonly n: number }): ChangeCounts {
  return counts.get(table.n) ?? NO_CHANGES;
}

/** Every staged row comes back and none was there, as after a tenant was lost. */
export function writesAllStaged(table: PlanTable, counts: ChangeCounts): boolean {
  return counts.update === 0 && counts.insert === table.stagedRows;
}

/**
 * The staged rows that the merge writes, as an item of a FROM clause: staging itself when all of it comes back, which
 * spares a join of a million rows with themselves.
 */
export function writtenRows(
  scope: {
    readonly restoreId: string;
    readonly table: PlanTable;
    readonly changes: string;
    readonly counts: ChangeCounts;
  },
  alias: string,
): string {
  const { restoreId, table, changes, counts } = scope;
  const stage = stageTable(restoreId, table);
  if (writesAllStaged(table, counts)) return `${stage} ${alias}`;
  const same = table.key.length > 0 ? joinColumns(table.key, table.key, 's', 'c') : 's.ctid = c.staged_row';
  return `(select s.* from ${changes} c join ${stage} s on ${same} where c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip) ${alias}`;
}
