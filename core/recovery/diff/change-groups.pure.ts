import type { PlanTable } from '../slice/plan-types';
import type { ChangeOp } from './changes-sql.pure';
import { addLanes, type Lanes, NO_ROWS, subtractLanes } from './slice-digest.pure';
import type { ChangeCounts } from './written-rows.pure';

/** All changes of one table that are of one kind. */
export interface ChangeGroup {
  readonly op: ChangeOp;
  /** A decision keeps them out of the merge. */
  readonly skip: boolean;
  readonly count: number;
  /** Of the live rows; no rows for inserts. */
  readonly before: Lanes;
  /** Of the staged rows; no rows for deletes. */
  readonly after: Lanes;
}

/** Every row that was staged comes back: what was measured when it was staged is what the group adds up to. */
export function allStaged({
  stagedRows,
  stagedImage,
}: Pick<PlanTable, 'stagedRows' | 'stagedImage'>): ChangeGroup[] {
  const after = { rows: BigInt(stagedRows), a: BigInt(stagedImage?.a ?? 0), b: BigInt(stagedImage?.b ?? 0) };
  return [{ op: 'i', skip: false, count: stagedRows, before: NO_ROWS, after: addLanes(NO_ROWS, after) }];
}

/** What the merge will do. */
export function countsOfGroups(groups: readonly ChangeGroup[]): ChangeCounts {
  const of = (op: ChangeOp) =>
    groups.filter((group) => group.op === op && !group.skip).reduce((sum, group) => sum + group.count, 0);
  return { insert: of('i'), update: of('u'), delete: of('d') };
}

/** Skipped ones too. */
export function totalOfGroups(groups: readonly ChangeGroup[]): number {
  return groups.reduce((sum, group) => sum + group.count, 0);
}

/**
 * Where every difference is a change, the live rows are the staged ones with the changes taken back: measuring staging,
 * which stands still, spares another pass over the live rows.
 */
export function liveFromStaged(staged: Lanes, groups: readonly ChangeGroup[]): Lanes {
  return groups.reduce((lanes, { before, after }) => addLanes(subtractLanes(lanes, after), before), staged);
}

/** The rows as the merge will leave them. */
export function expectedFromLive(live: Lanes, groups: readonly ChangeGroup[]): Lanes {
  return groups
    .filter((group) => !group.skip)
    .reduce((lanes, { before, after }) => addLanes(subtractLanes(lanes, before), after), live);
}

/** A group as the database counts it; sums are NULL where there is no row. */
export interface GroupRow {
  readonly op: ChangeOp;
  readonly skip: boolean;
  readonly count: string;
  readonly before_a: string | null;
  readonly before_b: string | null;
  readonly after_a: string | null;
  readonly after_b: string | null;
}

export function toChangeGroup(row: GroupRow): ChangeGroup {
  const lanes = (has: boolean, a: string | null, b: string | null): Lanes =>
    has ? addLanes(NO_ROWS, { rows: BigInt(row.count), a: BigInt(a ?? 0), b: BigInt(b ?? 0) }) : NO_ROWS;
  return {
    op: row.op,
    skip: row.skip,
    count: Number(row.count),
    before: lanes(row.op !== 'i', row.before_a, row.before_b),
    after: lanes(row.op !== 'd', row.after_a, row.after_b),
  };
}
