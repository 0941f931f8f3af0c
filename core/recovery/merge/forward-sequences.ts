import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../../../database';
import { type AllCounts, type ChangeCounts, countsOf, writesAllStaged } from '../diff/written-rows.pure';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { changesTable, stageTable } from '../slice/restore-tables.pure';

/**
 * More values than this are not drawn (about ten seconds): such a distance is no sequence that was set back, but keys
 * that the application makes by itself in a column whose sequence it does not use.
 */
const MOST_STEPS = 10_000_000;

/**
 * A sequence only moves forward, so that no value is ever handed out twice: by `nextval`, which cannot race with other
 * sessions the way a `setval` computed from an earlier look could. The role has no right to `setval` at all. Only rows
 * that the merge inserted count: what others have written is between them and the sequence.
 *
 * @returns `sequence → value` for each one that was behind the rows, `sequence stays at value` for those too far behind.
 */
export async function forwardSequences(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  counts: AllCounts,
): Promise<string[]> {
  const forwarded: string[] = [];
  for (const table of plan.tables) {
    for (const column of table.columns) {
      if (column.sequence === undefined) continue;
      const rows = insertedRows(restoreId, table, countsOf(counts, table));
      const moved = await forwardOne(tx, rows, column.name, column.sequence);
      if (moved !== undefined) forwarded.push(`${column.sequence} ${moved}`);
    }
  }
  return forwarded;
}

async function forwardOne(
  tx: ClientBase,
  /** Item of a FROM clause, as `r`. */
  inserted: string,
  column: string,
  sequence: string,
): Promise<string | undefined> {
  const name = quoteIdentifier(column);
  const { rows } = await tx.query<{ steps: string | null; last: string }>(
    `select s.last_value as last, ceil((case when p.seqincrement > 0 then w.highest else w.lowest end - case when s.is_called then s.last_value else s.last_value - p.seqincrement end)
        / p.seqincrement::numeric) as steps
     from ${sequence} s, pg_sequence p,
       (select max(r.${name})::numeric as highest, min(r.${name})::numeric as lowest
        from ${inserted}) w
     where p.seqrelid = $1::regclass`,
    [sequence],
  );
  const steps = Number(rows[0]?.steps ?? 0);
  if (steps <= 0) return undefined;
  if (steps > MOST_STEPS) return `stays at ${rows[0]?.last}`;
  const moved = await tx.query<{ value: string }>(
    `select value from (select nextval($1::regclass) as value, n from generate_series(1, $2::bigint) n offset 0) steps order by n desc limit 1`,
    [sequence, steps],
  );
  return `→ ${moved.rows[0]?.value}`;
}

function insertedRows(restoreId: string, table: PlanTable, counts: ChangeCounts): string {
  const stage = stageTable(restoreId, table);
  if (writesAllStaged(table, counts)) return `${stage} r`;
  const same = table.key.length > 0 ? joinColumns(table.key, table.key, 's', 'c') : 's.ctid = c.staged_row';
  return `(select s.* from ${changesTable(restoreId, table)} c join ${stage} s on ${same}
    where c.chronawflow_op = 'i' and not c.chronawflow_skip) r`;
}
