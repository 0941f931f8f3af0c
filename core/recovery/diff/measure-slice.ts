import type { ClientBase } from 'pg';
import { quoteQualified } from '../../../database';
import { planLookup } from '../slice/plan-lookup.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { claimedBy, joinColumns } from '../slice/predicate.pure';
import { type ChangesKind, changesName } from './compute-changes';
import { countAllChanges, countsOf } from './count-changes';
import { rowHash, rowLanes } from './image.pure';
import { addLanes, type Lanes, parseLanes, subtractLanes } from './slice-digest.pure';
import { writtenRows } from './written-rows.pure';

export type SliceLanes = ReadonlyMap<string, Lanes>;

/** Hash lanes of the tenant's live rows, table by table; sees the caller's own uncommitted writes. */
export async function measureLive(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<SliceLanes> {
  const lookup = planLookup(plan);
  const lanes = new Map<string, Lanes>();
  for (const table of plan.tables) {
    const bound = claimedBy(table, 't', '$1::text', restoreId, lookup);
    lanes.set(
      name(table),
      await sumLanes(tx, table, `${quoteQualified(table)} t where $1::text is not null and ${bound}`, [
        plan.tenant,
      ]),
    );
  }
  return lanes;
}

/** The slice's lanes after the merge: what is there now, less the images that go, plus those that come. */
export async function measureExpected(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  now: SliceLanes,
  kind: ChangesKind,
): Promise<SliceLanes> {
  const expected = new Map<string, Lanes>();
  const counts = await countAllChanges(tx, restoreId, plan, kind);
  for (const table of plan.tables) {
    const current = now.get(name(table));
    if (current === undefined) throw new RangeError(`${name(table)} was not measured`);
    const changes = changesName(kind, restoreId, table);
    const live =
      table.key.length > 0
        ? joinColumns(table.key, table.key, 't', 'c')
        : 't.ctid = c.live_row and t.tableoid = c.live_part';
    const written = writtenRows({ restoreId, table, changes, counts: countsOf(counts, table) }, 't');
    const going = await sumLanes(
      tx,
      table,
      `${changes} c join ${quoteQualified(table)} t on ${live} where c.chronawflow_op in ('u', 'd') and not c.chronawflow_skip`,
    );
    const coming = await sumLanes(tx, table, written);
    expected.set(name(table), addLanes(subtractLanes(current, going), coming));
  }
  return expected;
}

async function sumLanes(
  tx: ClientBase,
  table: PlanTable,
  from: string,
  values: readonly string[] = [],
): Promise<Lanes> {
  const [a, b] = rowLanes('h');
  const { rows } = await tx.query<{ rows: string; a: string | null; b: string | null }>(
    // `offset 0` keeps the planner from computing h once for each lane.
    `select count(*) as rows, sum(${a}) as a, sum(${b}) as b from (select ${rowHash(table.columns, 't')} as h from ${from} offset 0) hashes`,
    [...values],
  );
  return parseLanes(rows[0] ?? { rows: '0', a: null, b: null });
}

function name(table: PlanTable): string {
  return `${table.schema}.${table.name}`;
}
