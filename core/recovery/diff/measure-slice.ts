import type { ClientBase } from 'pg';
import { quoteQualified } from '../../../database';
import { tableName } from '../slice/catalog-types';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { claimedBy } from '../slice/predicate.pure';
import { stageTable } from '../slice/restore-tables.pure';
import { expectedFromLive } from './change-groups.pure';
import { type AllGroups, groupsOf } from './group-changes';
import { rowHash, rowLanes } from './image.pure';
import { type Lanes, NO_ROWS, parseLanes } from './slice-digest.pure';

/** By table name. */
export type SliceLanes = ReadonlyMap<string, Lanes>;

/** Hash lanes of the tenant's live rows, table by table; sees the caller's own uncommitted writes. */
export async function measureLive(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<SliceLanes> {
  const lanes = new Map<string, Lanes>();
  for (const table of plan.tables)
    lanes.set(tableName(table), await measureLiveTable(tx, restoreId, plan, table));
  return lanes;
}

export async function measureLiveTable(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  table: PlanTable,
): Promise<Lanes> {
  const bound = claimedBy(table, 't', '$1::text', restoreId, planLookup(plan));
  return sumLanes(tx, table, `${quoteQualified(table)} t where $1::text is not null and ${bound}`, [
    plan.tenant,
  ]);
}

export function measureStage(tx: ClientBase, restoreId: string, table: PlanTable): Promise<Lanes> {
  return sumLanes(tx, table, `${stageTable(restoreId, table)} t`);
}

/** The slice's lanes after the merge: what is there now, less the images that go, plus those that come. */
export function expectedLanes(plan: SlicePlan, now: SliceLanes, groups: AllGroups): SliceLanes {
  return new Map(
    plan.tables.map((table) => [
      tableName(table),
      expectedFromLive(now.get(tableName(table)) ?? NO_ROWS, groupsOf(groups, table)),
    ]),
  );
}

async function sumLanes(
  tx: ClientBase,
  table: PlanTable,
  from: string,
  values: readonly string[] = [],
): Promise<Lanes> {
  const [a, b] = rowLanes('h');
  const { rows } = await tx.query<{ rows: string; a: string | null; b: string | null }>(
    // The clock, being volatile, keeps the planner from computing h once for each lane; `offset 0` would as well, and would
    // keep it from adding up in parallel processes, too.
    `select count(*) as rows, sum(${a}) as a, sum(${b}) as b from (select ${rowHash(table.columns, 't')} as h, clock_timestamp() from ${from}) hashes`,
    [...values],
  );
  return parseLanes(rows[0] ?? { rows: '0', a: null, b: null });
}
