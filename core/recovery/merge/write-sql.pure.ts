import { quoteIdentifier, quoteList, quoteQualified } from '../../../database';
import { type ChangeCounts, writesAllStaged } from '../diff/written-rows.pure';
import type { PlanTable } from '../slice/plan-types';
import { claimedBy, joinColumns, type TableLookup } from '../slice/predicate.pure';
import { beforeTable, changesTable, stageTable } from '../slice/restore-tables.pure';

/**
 * The statements that the merge writes with. Each touches only rows that are in the table of changes AND that the
 * restore may claim for the tenant (`$1`): the second bound repeats what the first implies, so that no mistake in a diff
 * can reach another tenant's row. The caller compares the row count with the number of changes.
 */
export interface WriteScope {
  readonly restoreId: string;
  readonly table: PlanTable;
  readonly lookup: TableLookup;
  readonly counts: ChangeCounts;
}

const BOUND = '$1::text';

/** Copies the rows that will be overwritten or deleted, all writable columns, into a logged table. */
export function keepBefore({ restoreId, table }: WriteScope): string {
  const columns = quoteList(
    table.liveColumns.map((column) => column.name),
    't.',
  );
  return `create table ${beforeTable(restoreId, table)} as
    select c.chronawflow_op as "chronawflow op", ${columns} from ${changesTable(restoreId, table)} c
    join ${quoteQualified(table)} t on ${liveRow(table)} where c.chronawflow_op in ('u', 'd') and not c.chronawflow_skip`;
}

/** Updates in place the rows whose unique, excluded and identity values stay. Undefined when no column could be set. */
export function updateRows({ restoreId, table, lookup }: WriteScope): string | undefined {
  const settable = table.columns.filter(
    (column) => !table.key.includes(column.name) && !column.identityAlways,
  );
  if (table.key.length === 0 || settable.length === 0) return undefined;
  const set = settable
    .map((column) => `${quoteIdentifier(column.name)} = s.${quoteIdentifier(column.name)}`)
    .join(', ');
  return `update ${quoteQualified(table)} t set ${set}
    from ${changesTable(restoreId, table)} c join ${stageTable(restoreId, table)} s on ${joinColumns(table.key, table.key, 's', 'c')}
    where ${liveRow(table)} and c.chronawflow_op = 'u' and not c.chronawflow_skip and not c.chronawflow_rewrite and ${bounded(table, restoreId, lookup)}`;
}

/** Deletes the rows that go, and those that are written anew by `insertRows` in the same transaction. */
export function deleteRows({ restoreId, table, lookup }: WriteScope): string {
  return `delete from ${quoteQualified(table)} t using ${changesTable(restoreId, table)} c
    where ${liveRow(table)} and (c.chronawflow_op = 'd' or c.chronawflow_op = 'u' and c.chronawflow_rewrite) and not c.chronawflow_skip and ${bounded(table, restoreId, lookup)}`;
}

/**
 * Rows that come, in the order in which they lay at the target, which B-trees of growing keys like far better than the
 * order of a join. Identity values are the target's own; columns added since get their default.
 */
export function insertRows({ restoreId, table, counts }: WriteScope): string {
  const columns = table.columns.map((column) => column.name);
  if (writesAllStaged(table, counts)) {
    return `insert into ${quoteQualified(table)} (${quoteList(columns)}) overriding system value
      select ${quoteList(columns, 's.')} from ${stageTable(restoreId, table)} s where $1::text is not null`;
  }
  return `insert into ${quoteQualified(table)} (${quoteList(columns)}) overriding system value
    select ${quoteList(columns, 's.')} from ${changesTable(restoreId, table)} c
    join ${stageTable(restoreId, table)} s on ${stagedRow(table)} where c.chronawflow_op = 'i' and not c.chronawflow_skip and $1::text is not null order by s.ctid`;
}

/** Rows that were deleted by `deleteRows` to be written anew: columns added since the target keep today's value. */
export function reinsertRows({ restoreId, table }: WriteScope): string | undefined {
  if (table.key.length === 0) return undefined;
  const staged = table.columns.map((column) => column.name);
  const kept = table.liveColumns.map((column) => column.name).filter((name) => !staged.includes(name));
  const values = [quoteList(staged, 's.'), ...(kept.length > 0 ? [quoteList(kept, 'b.')] : [])].join(', ');
  return `insert into ${quoteQualified(table)} (${quoteList([...staged, ...kept])}) overriding system value
    select ${values} from ${changesTable(restoreId, table)} c
    join ${stageTable(restoreId, table)} s on ${joinColumns(table.key, table.key, 's', 'c')}
    join ${beforeTable(restoreId, table)} b on ${joinColumns(table.key, table.key, 'b', 'c')}
    where c.chronawflow_op = 'u' and c.chronawflow_rewrite and not c.chronawflow_skip and $1::text is not null`;
}

/** Where the change's live row is. */
function liveRow(table: PlanTable): string {
  return table.key.length > 0
    ? joinColumns(table.key, table.key, 't', 'c')
    : 't.ctid = c.live_row and t.tableoid = c.live_part';
}

function stagedRow(table: PlanTable): string {
  return table.key.length > 0 ? joinColumns(table.key, table.key, 's', 'c') : 's.ctid = c.staged_row';
}

function bounded(table: PlanTable, restoreId: string, lookup: TableLookup): string {
  return `${BOUND} is not null and ${claimedBy(table, 't', BOUND, restoreId, lookup)}`;
}
