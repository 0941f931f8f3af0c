import { quoteIdentifier } from '../../../database';
import { type CatalogTable, tableName, type UniqueIndex } from '../slice/catalog-types';
import { ownerAmong } from '../slice/owner-in-key.pure';
import { unqualified } from '../slice/plan-slice.pure';
import { type ConflictInput, catalogTable, type Question } from './conflict-input';
import {
  type ConflictScope,
  checkRefuses,
  excludedAmongWritten,
  excludedByOther,
  insertsWithoutValue,
  onColumn,
  takenAmongWritten,
  uniqueTaken,
} from './conflict-queries.pure';
import { mappingsOf } from './mapping.pure';

/** Rows to write whose own values are refused: by a unique value or exclusion that is taken, or by a constraint. */
export function valueConflicts(scope: ConflictScope, input: ConflictInput): Question[] {
  const live = catalogTable(input.live, scope.table);
  const before = input.target?.catalog.tables.find((one) => tableName(one) === tableName(scope.table));
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const values: Values = {
    scope,
    live,
    before,
    mapped: mappingsOf(input.decisions, tableName(scope.table)).map((map) => map.column),
    empty: input.empty.has(scope.table.n),
    readable: (columns) => columns.every((name) => staged.has(name)),
  };
  return [...takenValues(values), ...refusedValues(values, input), ...missingValues(values)];
}

interface Values {
  readonly scope: ConflictScope;
  readonly live: CatalogTable;
  /** The same table at the target. */
  readonly before: CatalogTable | undefined;
  /** Columns that a decision maps. */
  readonly mapped: readonly string[];
  /** The tenant has no row there. */
  readonly empty: boolean;
  /** Both sides have all these columns. */
  readonly readable: (columns: readonly string[]) => boolean;
}

function takenValues({ scope, live, mapped, empty, readable }: Values): Question[] {
  const isMapped = (columns: readonly string[]) => mapped.some((column) => columns.includes(column));
  // Only the tenant's own rows could hold such a value, and there are none.
  const isFree = ({ columns = [] }: UniqueIndex) =>
    empty && !scope.table.nullableOwner && ownerAmong(scope.table, columns);
  const ask = (sql: string, message: Question['message'], columns?: readonly string[]): Question => ({
    scope,
    kind: 'unique-taken',
    sql,
    message,
    columns,
  });
  const uniques = live.uniques
    .filter((one) => !one.primary && readable(one.dependsOn) && (isMapped(one.dependsOn) || !isFree(one)))
    .flatMap((index) => [
      ask(
        uniqueTaken(scope, index),
        (rows) => `${rows} row(s) need a value of ${index.name} that another row holds now`,
        index.dependsOn,
      ),
      ...(isMapped(index.dependsOn)
        ? [
            ask(
              takenAmongWritten(scope, index),
              (rows) =>
                `${rows} mapped row(s) would share a value of ${index.name} with another row of the target`,
            ),
          ]
        : []),
    ]);
  const exclusions = live.exclusions
    .filter((one) => readable(one.dependsOn))
    .flatMap((constraint) => [
      ask(
        excludedByOther(scope, constraint),
        (rows) => `${rows} row(s) overlap a row that stays (${constraint.name})`,
        constraint.dependsOn,
      ),
      ...(isMapped(constraint.dependsOn)
        ? [
            ask(
              excludedAmongWritten(scope, constraint),
              (rows) => `${rows} mapped row(s) would overlap another row of the target (${constraint.name})`,
            ),
          ]
        : []),
    ]);
  return [...uniques, ...exclusions];
}

function refusedValues({ scope, live, before, mapped, readable }: Values, input: ConflictInput): Question[] {
  const checks = live.checks.flatMap((check): Question[] => {
    const known = before === undefined || before.checks.some((one) => one.expression === check.expression);
    const columns = live.columns
      .filter((column) => check.expression.includes(column.name))
      .map((column) => column.name);
    const ofMapped = mapped.some((column) => columns.includes(column));
    if ((known && !ofMapped) || !readable(columns)) return [];
    const message = (rows: number) =>
      known
        ? `${rows} mapped row(s) would break ${check.name}`
        : `${rows} row(s) break ${check.name}, which is new or changed since the target`;
    return [
      { scope, kind: 'constraint-violated', sql: checkRefuses(scope, check.expression), message, columns },
    ];
  });
  const columns = refusals(live, before, mapped, input).map(
    ({ name, expression }): Question => ({
      scope,
      kind: 'constraint-violated',
      sql: checkRefuses(scope, expression),
      message: (rows) =>
        mapped.includes(name)
          ? `${rows} row(s) have a value of ${name} that its NOT NULL or domain refuses`
          : `${rows} row(s) have a value of ${name} that its NOT NULL or domain, new since the target, refuses`,
      columns: [name],
    }),
  );
  return [...checks, ...columns];
}

function missingValues({ scope, live, before, readable }: Values): Question[] {
  if (before === undefined) return [];
  return live.columns
    .filter((column) => column.notNull && !column.hasDefault && !column.generated && !readable([column.name]))
    .map((column) => ({
      scope,
      kind: 'constraint-violated',
      sql: insertsWithoutValue(scope),
      message: (rows) =>
        `${rows} row(s) to insert have no value for ${column.name}, which is NOT NULL, without default and not staged`,
    }));
}

/**
 * Conditions that columns of both sides have to meet today and had not at the target: NOT NULL and their domain's. A
 * mapped column is new as well: it has to meet all of them.
 */
function refusals(
  live: CatalogTable,
  before: CatalogTable | undefined,
  mapped: readonly string[],
  input: ConflictInput,
): { readonly name: string; readonly expression: string }[] {
  return live.columns.flatMap((column) => {
    const then = before?.columns.find((one) => one.name === column.name);
    const isMapped = mapped.includes(column.name);
    if (column.generated || (!isMapped && then?.type !== column.type)) return [];
    const notNull =
      column.notNull && (isMapped || !then?.notNull) ? [`${quoteIdentifier(column.name)} is not null`] : [];
    const type = unqualified(column.type);
    const known = isMapped ? [] : (input.target?.catalog.domainChecks[type] ?? []);
    const added = (input.live.domainChecks[type] ?? []).filter((check) => !known.includes(check));
    const domain = added.map((check) => onColumn(check, column.name));
    return [...notNull, ...domain].map((expression) => ({ name: column.name, expression }));
  });
}
