import type { ClientBase } from 'pg';
import type { Sessions } from '../sessions';
import type { SlicePlan } from '../slice/plan-types';
import {
  allStaged,
  type ChangeGroup,
  countsOfGroups,
  type GroupRow,
  toChangeGroup,
} from './change-groups.pure';
import { type ChangesKind, changesName } from './changes-name.pure';
import { CHANGE_OPS } from './changes-sql.pure';
import { rowLanes } from './image.pure';
import type { AllCounts } from './written-rows.pure';

/** Groups by table number; in the order of their operation, those that are skipped last. */
export type AllGroups = ReadonlyMap<number, readonly ChangeGroup[]>;

/** Counts and sums up the changes of one table, by its quoted name. */
export async function groupChanges(tx: ClientBase, changes: string): Promise<readonly ChangeGroup[]> {
  const sums = (['before', 'after'] as const).flatMap((side) =>
    rowLanes(`chronawflow_${side}_hash`).map((lane, i) => `sum(${lane}) as ${side}_${'ab'[i]}`),
  );
  const { rows } = await tx.query<GroupRow>(
    `select chronawflow_op as op, chronawflow_skip as skip, count(*) as count, ${sums.join(', ')}
     from ${changes} group by 1, 2`,
  );
  return rows
    .map(toChangeGroup)
    .sort((a, b) => CHANGE_OPS.indexOf(a.op) - CHANGE_OPS.indexOf(b.op) || Number(a.skip) - Number(b.skip));
}

export async function groupAllChanges(
  sessions: Sessions,
  restoreId: string,
  plan: SlicePlan,
  kind: ChangesKind,
  /** Tables of which all staged rows come back, by number. */
  lost: ReadonlySet<number> = new Set(),
): Promise<AllGroups> {
  const groups = await sessions.each(plan.tables, async (tx, table) =>
    lost.has(table.n) ? allStaged(table) : groupChanges(tx, changesName(kind, restoreId, table)),
  );
  return new Map(plan.tables.map((table, i) => [table.n, groups[i] ?? []]));
}

export function groupsOf(groups: AllGroups, table: { readonly n: number }): readonly ChangeGroup[] {
  return groups.get(table.n) ?? [];
}

export function countsOfAll(groups: AllGroups): AllCounts {
  return new Map([...groups].map(([n, ofTable]) => [n, countsOfGroups(ofTable)]));
}
