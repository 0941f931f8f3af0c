import { quoteIdentifier, quoteQualified } from '../../../database';
import type { PlanColumn, PlanTable } from './plan-types';
import { stageTable } from './restore-tables.pure';

/**
 * SQL conditions that bound a statement by the tenant. `tenant` is an SQL expression of type text: `$1::text` where
 * parameters work, a quoted literal in COPY and DDL.
 */

export type TableLookup = (name: string) => PlanTable;

/** A comparison of two SQL expressions, of which the first is this column. */
export type Equality = (left: string, right: string, column: PlanColumn | undefined) => string;

const byOperator: Equality = (left, right) => `${left} = ${right}`;

/** True for the rows that the tenant owns now. */
export function ownedBy(
  table: PlanTable,
  alias: string,
  tenant: string,
  lookup: TableLookup,
  equal: Equality = byOperator,
): string {
  const { attribution } = table;
  switch (attribution.kind) {
    case 'schema':
      return 'true';
    case 'tenant-table':
    case 'column':
      return equal(
        `${alias}.${quoteIdentifier(attribution.column)}`,
        `${tenant}::${table.ownerType}`,
        columnOf(table, attribution.column),
      );
    case 'path': {
      const parent = lookup(attribution.parent);
      const parentAlias = `${alias}p`;
      const joined = attribution.parentColumns.map((name, i) =>
        equal(
          `${parentAlias}.${quoteIdentifier(name)}`,
          `${alias}.${quoteIdentifier(attribution.columns[i] ?? name)}`,
          columnOf(parent, name),
        ),
      );
      return (
        `exists (select from ${quoteQualified(parent)} ${parentAlias} where ${joined.join(' and ')} and ` +
        `${ownedBy(parent, parentAlias, tenant, lookup, equal)})`
      );
    }
  }
}

/**
 * True for the rows that the restore may touch: those the tenant owns, and those without any owner whose key the tenant
 * owned at the target (a row that lost its owner by ON DELETE SET NULL; invariant 9).
 */
export function claimedBy(
  table: PlanTable,
  alias: string,
  tenant: string,
  restoreId: string,
  lookup: TableLookup,
): string {
  const { attribution } = table;
  const orphan = orphaned(table, alias, restoreId);
  if (attribution.kind !== 'path') {
    const owned = ownedBy(table, alias, tenant, lookup);
    return orphan === undefined ? owned : `(${owned} or ${orphan})`;
  }
  const parent = lookup(attribution.parent);
  const parentAlias = `${alias}p`;
  const owned =
    `exists (select from ${quoteQualified(parent)} ${parentAlias} where ` +
    `${joinColumns(attribution.parentColumns, attribution.columns, parentAlias, alias)} and ` +
    `${claimedBy(parent, parentAlias, tenant, restoreId, lookup)})`;
  return orphan === undefined ? owned : `(${owned} or ${orphan})`;
}

function columnOf(table: PlanTable, name: string): PlanColumn | undefined {
  return table.liveColumns.find((column) => column.name === name);
}

/** Rows without owner whose key is staged; undefined when the table cannot have such rows. */
function orphaned(table: PlanTable, alias: string, restoreId: string): string | undefined {
  if (!table.nullableOwner || table.key.length === 0) return undefined;
  const unowned = ownerColumns(table)
    .map((name) => `${alias}.${quoteIdentifier(name)} is null`)
    .join(' or ');
  return `((${unowned}) and exists (select from ${stageTable(restoreId, table)} ${alias}s where ${joinColumns(table.key, table.key, `${alias}s`, alias)}))`;
}

/** Columns whose NULL means "nobody's". */
function ownerColumns(table: PlanTable): readonly string[] {
  switch (table.attribution.kind) {
    case 'column':
      return [table.attribution.column];
    case 'path':
      return table.attribution.columns;
    default:
      return [];
  }
}

/** `a."x" = b."y" and …` for two column lists of equal length. */
export function joinColumns(
  left: readonly string[],
  right: readonly string[],
  leftAlias: string,
  rightAlias: string,
): string {
  return left
    .map(
      (name, i) =>
        `${leftAlias}.${quoteIdentifier(name)} = ${rightAlias}.${quoteIdentifier(right[i] ?? name)}`,
    )
    .join(' and ');
}
