import type { ClientBase } from 'pg';
import { quoteIdentifier, quoteQualified } from '../../../database';
import type { PlanTable, SlicePlan } from '../slice/plan-types';

/**
 * A sequence only moves forward, so that no value is ever handed out twice: by `nextval`, which cannot race with other
 * sessions the way a `setval` computed from an earlier look could. The role has no right to `setval` at all.
 *
 * @returns `sequence → value` for each one that was behind the rows.
 */
export async function forwardSequences(tx: ClientBase, plan: SlicePlan): Promise<string[]> {
  const forwarded: string[] = [];
  for (const table of plan.tables) {
    for (const column of table.columns) {
      if (column.sequence === undefined) continue;
      const value = await forwardOne(tx, table, column.name, column.sequence);
      if (value !== undefined) forwarded.push(`${column.sequence} → ${value}`);
    }
  }
  return forwarded;
}

async function forwardOne(
  tx: ClientBase,
  table: PlanTable,
  column: string,
  sequence: string,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ steps: string | null }>(
    `select ceil((case when p.seqincrement > 0 then t.highest else t.lowest end - case when s.is_called then s.last_value else s.last_value - p.seqincrement end)
        / p.seqincrement::numeric) as steps
     from ${sequence} s, pg_sequence p,
       (select max(${quoteIdentifier(column)})::numeric as highest, min(${quoteIdentifier(column)})::numeric as lowest from ${quoteQualified(table)}) t
     where p.seqrelid = $1::regclass`,
    [sequence],
  );
  const steps = Number(rows[0]?.steps ?? 0);
  if (steps <= 0) return undefined;
  const moved = await tx.query<{ value: string }>(
    `select max(nextval($1::regclass)) as value from generate_series(1, $2::bigint)`,
    [sequence, steps],
  );
  return moved.rows[0]?.value;
}
