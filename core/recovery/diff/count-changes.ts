import type { ClientBase } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import type { ChangeOp } from './changes-sql.pure';
import { type ChangesKind, changesName } from './compute-changes';
import { type AllCounts, type ChangeCounts, NO_CHANGES } from './written-rows.pure';

export async function countAllChanges(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  kind: ChangesKind,
): Promise<AllCounts> {
  const counts = new Map<number, ChangeCounts>();
  for (const table of plan.tables) {
    const { rows } = await tx.query<{ op: ChangeOp; count: string }>(
      `select chronawflow_op as op, count(*) as count from ${changesName(kind, restoreId, table)} where not chronawflow_skip group by 1`,
    );
    const of = (op: ChangeOp) => Number(rows.find((row) => row.op === op)?.count ?? 0);
    counts.set(table.n, { insert: of('i'), update: of('u'), delete: of('d') });
  }
  return counts;
}

export function countsOf(counts: AllCounts, table: { readonly n: number }): ChangeCounts {
  return counts.get(table.n) ?? NO_CHANGES;
}
