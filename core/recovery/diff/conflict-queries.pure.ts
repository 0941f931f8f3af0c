import { quoteIdentifier, quoteList, quoteLiteral, quoteQualified } from '../../../database';
import type { ExclusionConstraint, ForeignKey, UniqueIndex } from '../slice/catalog-types';
import type { PlanTable } from '../slice/plan-types';
import { claimedBy, joinColumns, ownedBy, type TableLookup } from '../slice/predicate.pure';
import type { Reference } from '../slice/read-references';
import { beforeTable, changesTable, stageTable } from '../slice/restore-tables.pure';
import { rowHash } from './image.pure';

/**
 * Each function returns a SELECT of the changes that are in conflict, as their `ctid` in the table of changes, so that
 * one caller can count them and mark them. `changes` is the quoted name of the table of changes `c`, `$1` the tenant.
 */
export interface ConflictScope {
  readonly restoreId: string;
  readonly table: PlanTable;
  readonly changes: string;
  readonly lookup: TableLookup;
  /** Of the plan: for comparisons on the scratch cluster. */
  readonly searchPath: readonly string[];
}

const TENANT = '$1::text';

/** Inserts whose key is taken by a live row that belongs to somebody else. */
export function ownedByOther({ table, changes, lookup }: ConflictScope): string {
  return `select c.ctid from ${changes} c join ${quoteQualified(table)} t on ${joinColumns(table.key, table.key, 't', 'c')}
    where c.chronawflow_op = 'i' and not c.chronawflow_skip and (${ownedBy(table, 't', TENANT, lookup)}) is not true`;
}

/** Rows to write whose unique values are held by a live row that stays. */
export function uniqueTaken({ restoreId, table, changes }: ConflictScope, index: UniqueIndex): string {
  return clashing(restoreId, table, changes, index.expressions, index.predicate, equality(index));
}

/** The same for an exclusion constraint and its operators. */
export function excludedByOther(
  { restoreId, table, changes }: ConflictScope,
  constraint: ExclusionConstraint,
): string {
  return clashing(
    restoreId,
    table,
    changes,
    constraint.expressions,
    constraint.predicate,
    clashOf(constraint),
  );
}

/** Mapped rows whose new value another row to write has as well: at the target, no two rows had the same. */
export function takenAmongWritten(scope: ConflictScope, index: UniqueIndex): string {
  return clashingAmongWritten(scope, index, equality(index));
}

/** The same for an exclusion constraint. */
export function excludedAmongWritten(scope: ConflictScope, constraint: ExclusionConstraint): string {
  return clashingAmongWritten(scope, constraint, clashOf(constraint));
}

function clashingAmongWritten(
  { restoreId, table, changes }: ConflictScope,
  { expressions, predicate }: Pick<UniqueIndex, 'expressions' | 'predicate'>,
  on: string,
): string {
  const values = expressions.map((expression, i) => `(${expression}) as chronawflow_e${i}`).join(', ');
  const where = predicate === undefined ? '' : ` where ${predicate}`;
  const staged = `(select ${values}, ${quoteList(table.key)} from ${stageTable(restoreId, table)}${where})`;
  return `select c.ctid from ${changes} c join ${staged} n on ${joinColumns(table.key, table.key, 'n', 'c')}
    where c.chronawflow_mapped is not null and c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip and $1::text is not null
      and exists (select from ${staged} l join ${changes} m on ${joinColumns(table.key, table.key, 'l', 'm')}
        where m.chronawflow_op in ('i', 'u') and not m.chronawflow_skip and ${on} and not (${joinColumns(table.key, table.key, 'l', 'c')}))`;
}

function equality({ expressions, nullsNotDistinct }: UniqueIndex): string {
  const equal = nullsNotDistinct ? 'is not distinct from' : '=';
  return expressions.map((_, i) => `n.chronawflow_e${i} ${equal} l.chronawflow_e${i}`).join(' and ');
}

function clashOf({ operators }: ExclusionConstraint): string {
  return operators.map((operator, i) => `n.chronawflow_e${i} ${operator} l.chronawflow_e${i}`).join(' and ');
}

function clashing(
  restoreId: string,
  table: PlanTable,
  changes: string,
  expressions: readonly string[],
  predicate: string | undefined,
  on: string,
): string {
  const values = expressions.map((expression, i) => `(${expression}) as chronawflow_e${i}`).join(', ');
  const keyed = table.key.length > 0;
  const [staged, live] = keyed
    ? [quoteList(table.key), quoteList(table.key)]
    : ['ctid as staged_row', 'ctid as live_row, tableoid as live_part'];
  const [ofChange, goes] = keyed
    ? [joinColumns(table.key, table.key, 'n', 'c'), joinColumns(table.key, table.key, 'm', 'l')]
    : ['n.staged_row = c.staged_row', 'm.live_row = l.live_row and m.live_part = l.live_part'];
  const itself = keyed ? ` and not (${joinColumns(table.key, table.key, 'l', 'c')})` : '';
  const where = predicate === undefined ? '' : ` where ${predicate}`;
  return `select c.ctid from ${changes} c
    join (select ${values}, ${staged} from ${stageTable(restoreId, table)}${where}) n on ${ofChange}
    join (select ${values}, ${live} from ${quoteQualified(table)}${where}) l on ${on}
    where c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip and $1::text is not null
      and not exists (select from ${changes} m where ${goes} and m.chronawflow_op in ('d', 'u') and not m.chronawflow_skip)${itself}`;
}

/**
 * Rows that go, or whose referenced value goes, while rows that stay reference them: rows of tables outside the slice,
 * of other tenants, or rows of the slice that a decision or the modes keep.
 */
export function referencedByStaying(
  { restoreId, table, changes }: ConflictScope,
  reference: Reference,
  child: { readonly table: PlanTable; readonly changes: string } | undefined,
): string {
  const values = referencedValues(restoreId, table, changes, reference);
  return `select c.ctid from ${changes} c
    join ${quoteQualified(table)} t on ${liveIs(table, 't', 'c')}
    where (${values.go}) and not c.chronawflow_skip and $1::text is not null
      and exists (select from ${quoteQualified(reference.child)} k where ${joinColumns(reference.columns, reference.parentColumns, 'k', 't')} and ${staying(child)})
      and not ${values.come}`;
}

/** When the value that is referenced goes with change `c` of live row `t`, and when another written row brings it. */
function referencedValues(
  restoreId: string,
  table: PlanTable,
  changes: string,
  { parentColumns }: Reference,
): { readonly go: string; readonly come: string } {
  const isKey = table.key.length > 0 && parentColumns.every((name) => table.key.includes(name));
  const staged = parentColumns.every((name) => table.columns.some((column) => column.name === name));
  if (isKey || !staged) return { go: `c.chronawflow_op = 'd'`, come: 'false' };
  const stage = stageTable(restoreId, table);
  return {
    go: `c.chronawflow_op = 'd' or c.chronawflow_op = 'u' and exists (select from ${stage} n where ${stagedIs(table, 'n', 'c')}
          and row(${quoteList(parentColumns, 'n.')}) is distinct from row(${quoteList(parentColumns, 't.')}))`,
    come: `exists (select from ${changes} m join ${stage} n on ${stagedIs(table, 'n', 'm')}
          where m.chronawflow_op in ('i', 'u') and not m.chronawflow_skip and ${joinColumns(parentColumns, parentColumns, 'n', 't')})`,
  };
}

/** That `row` of the live table is the one of `change`; without a key, rows are known by their place. */
function liveIs(table: PlanTable, row: string, change: string): string {
  return table.key.length > 0
    ? joinColumns(table.key, table.key, row, change)
    : `${row}.ctid = ${change}.live_row and ${row}.tableoid = ${change}.live_part`;
}

/** The same for a row of staging. */
function stagedIs(table: PlanTable, row: string, change: string): string {
  return table.key.length > 0
    ? joinColumns(table.key, table.key, row, change)
    : `${row}.ctid = ${change}.staged_row`;
}

/** That child row `k` is neither deleted nor changed by the merge. */
function staying(child: { readonly table: PlanTable; readonly changes: string } | undefined): string {
  if (child === undefined) return 'true';
  return `not exists (select from ${child.changes} m where ${liveIs(child.table, 'k', 'm')} and m.chronawflow_op in ('d', 'u') and not m.chronawflow_skip)`;
}

/**
 * Rows to write whose parent will not be there: neither live and staying, nor written by this merge. A parent through
 * which the row comes to its tenant must be the tenant's, or the row would be written into another tenant's slice.
 */
export function parentMissing(
  { restoreId, table, changes, lookup }: ConflictScope,
  key: ForeignKey,
  parent:
    | {
        readonly table: PlanTable;
        readonly changes: string;
        /** Every staged row of the parent is written, so that staging need not be joined with the changes. */
        readonly allWritten: boolean;
      }
    | undefined,
  /** A decision maps a column of this key: a mapped reference may only lead to a parent that is the tenant's. */
  mapped: boolean,
): string {
  const set = key.columns.map((name) => `n.${quoteIdentifier(name)} is not null`).join(' and ');
  const going =
    parent === undefined
      ? ''
      : ` and not exists (select from ${parent.changes} m where ${liveIs(parent.table, 'p', 'm')} and m.chronawflow_op = 'd' and not m.chronawflow_skip)`;
  const { attribution } = table;
  const isPath = attribution.kind === 'path' && attribution.columns.join('\0') === key.columns.join('\0');
  const theirs =
    parent !== undefined && (isPath || mapped)
      ? ` and (${isPath ? '' : `c.chronawflow_mapped is null or not c.chronawflow_mapped && array[${key.columns.map(quoteLiteral).join(', ')}] or `}${claimedBy(parent.table, 'p', TENANT, restoreId, lookup)})`
      : '';
  const live = `exists (select from ${quoteQualified(key.parent)} p where ${joinColumns(key.parentColumns, key.columns, 'p', 'n')}${going}${theirs})`;
  const written =
    parent === undefined ||
    !key.parentColumns.every((name) => parent.table.columns.some((column) => column.name === name))
      ? 'false'
      : parent.allWritten
        ? `exists (select from ${stageTable(restoreId, parent.table)} p where ${joinColumns(key.parentColumns, key.columns, 'p', 'n')})`
        : `exists (select from ${parent.changes} m join ${stageTable(restoreId, parent.table)} p on ${stagedIs(parent.table, 'p', 'm')}
          where m.chronawflow_op in ('i', 'u') and not m.chronawflow_skip and ${joinColumns(key.parentColumns, key.columns, 'p', 'n')})`;
  return `select c.ctid from ${changes} c join ${stageTable(restoreId, table)} n on ${rowOf(table, 'n', 'ctid')}
    where c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip and $1::text is not null and ${set} and not (${live}) and not (${written})`;
}

/** A domain's condition on VALUE as one on a column. Words in string literals and quoted names are left alone. */
export function onColumn(domainCheck: string, column: string): string {
  return domainCheck.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\bVALUE\b/g, (token) =>
    token === 'VALUE' ? quoteIdentifier(column) : token,
  );
}

/** Rows to write that a CHECK, NOT NULL or domain constraint added or changed since the target refuses. */
export function checkRefuses({ restoreId, table, changes }: ConflictScope, expression: string): string {
  const matched = table.key.length > 0 ? quoteList(table.key) : 'ctid as staged_row';
  return `select c.ctid from ${changes} c
    join (select ${matched}, (${expression}) as chronawflow_holds from ${stageTable(restoreId, table)}) n on ${rowOf(table, 'n', 'staged_row')}
    where c.chronawflow_op in ('i', 'u') and not c.chronawflow_skip and $1::text is not null and n.chronawflow_holds is false`;
}

/** Rows to insert for which a NOT NULL column has no value: it was added since the target and has no default. */
export function insertsWithoutValue({ changes }: ConflictScope): string {
  return `select c.ctid from ${changes} c where c.chronawflow_op = 'i' and not c.chronawflow_skip and $1::text is not null`;
}

/**
 * Undo: rows that are no longer as the undone restore left them (invariant 20). A row that it inserted and that is gone
 * since needs nothing and is no change.
 */
export function changedSince(
  { table, changes }: ConflictScope,
  undoOf: string,
  /** It overwrote or deleted rows of the table. */
  hasPreimages: boolean,
): string {
  const written = table.writtenColumns ?? table.columns;
  const others = table.columns.filter((column) => !written.some((one) => one.name === column.name));
  const othersChanged =
    others.length === 0 || !hasPreimages
      ? ''
      : ` or (${quoteRow(others, 't')}) is distinct from (select ${quoteRow(others, 'b')} from ${beforeTable(undoOf, table)} b where ${joinColumns(table.key, table.key, 'b', 'c')})`;
  return `select c.ctid from ${changes} c
    join ${changesTable(undoOf, table)} k on not k.chronawflow_skip and ${joinColumns(table.key, table.key, 'k', 'c')}
    left join ${quoteQualified(table)} t on ${joinColumns(table.key, table.key, 't', 'c')}
    where not c.chronawflow_skip and $1::text is not null and case k.chronawflow_op
      when 'd' then c.chronawflow_op = 'u'
      when 'i' then ${rowHash(written, 't')} <> k.chronawflow_after_hash
      else c.chronawflow_op = 'i' or ${rowHash(written, 't')} <> k.chronawflow_after_hash${othersChanged} end`;
}

function quoteRow(columns: PlanTable['columns'], alias: string): string {
  return `row(${quoteList(
    columns.map((column) => column.name),
    `${alias}.`,
  )})::text`;
}

function rowOf(table: PlanTable, staged: string, rowColumn: string): string {
  return table.key.length > 0
    ? joinColumns(table.key, table.key, staged, 'c')
    : `${staged}.${rowColumn} = c.staged_row`;
}
