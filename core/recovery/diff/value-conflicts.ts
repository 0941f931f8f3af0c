import { quoteIdentifier } from '../../../database';
import type { CatalogTable } from '../slice/catalog-types';
import { tableName } from '../slice/catalog-types';
import { unqualified } from '../slice/plan-slice.pure';
import { type ConflictInput, catalogTable, type Look } from './conflict-input';
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
export async function valueConflicts(scope: ConflictScope, input: ConflictInput, look: Look): Promise<void> {
  const live = catalogTable(input.live, scope.table);
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const readable = (columns: readonly string[]) => columns.every((name) => staged.has(name));
  const mapped = mappingsOf(input.decisions, tableName(scope.table)).map((map) => map.column);
  for (const index of live.uniques.filter((one) => !one.primary && readable(one.dependsOn))) {
    await look(
      scope,
      'unique-taken',
      uniqueTaken(scope, index),
      (rows) => `${rows} row(s) need a value of ${index.name} that another row holds now`,
      index.dependsOn,
    );
    if (!mapped.some((column) => index.dependsOn.includes(column))) continue;
    await look(
      scope,
      'unique-taken',
      takenAmongWritten(scope, index),
      (rows) => `${rows} mapped row(s) would share a value of ${index.name} with another row of the target`,
    );
  }
  for (const constraint of live.exclusions.filter((one) => readable(one.dependsOn))) {
    await look(
      scope,
      'unique-taken',
      excludedByOther(scope, constraint),
      (rows) => `${rows} row(s) overlap a row that stays (${constraint.name})`,
      constraint.dependsOn,
    );
    if (!mapped.some((column) => constraint.dependsOn.includes(column))) continue;
    await look(
      scope,
      'unique-taken',
      excludedAmongWritten(scope, constraint),
      (rows) => `${rows} mapped row(s) would overlap another row of the target (${constraint.name})`,
    );
  }
  const before = input.target?.catalog.tables.find((one) => tableName(one) === tableName(scope.table));
  for (const check of live.checks) {
    const known = before === undefined || before.checks.some((one) => one.expression === check.expression);
    const columns = live.columns
      .filter((column) => check.expression.includes(column.name))
      .map((column) => column.name);
    const ofMapped = mapped.some((column) => columns.includes(column));
    if ((known && !ofMapped) || !readable(columns)) continue;
    await look(
      scope,
      'constraint-violated',
      checkRefuses(scope, check.expression),
      (rows) =>
        known
          ? `${rows} mapped row(s) would break ${check.name}`
          : `${rows} row(s) break ${check.name}, which is new or changed since the target`,
      columns,
    );
  }
  for (const { name, expression } of refusals(live, before, mapped, input)) {
    await look(
      scope,
      'constraint-violated',
      checkRefuses(scope, expression),
      (rows) =>
        mapped.includes(name)
          ? `${rows} row(s) have a value of ${name} that its NOT NULL or domain refuses`
          : `${rows} row(s) have a value of ${name} that its NOT NULL or domain, new since the target, refuses`,
      [name],
    );
  }
  if (before === undefined) return;
  const withoutValue = live.columns.filter(
    (column) => column.notNull && !column.hasDefault && !column.generated && !staged.has(column.name),
  );
  for (const column of withoutValue) {
    await look(
      scope,
      'constraint-violated',
      insertsWithoutValue(scope),
      (rows) =>
        `${rows} row(s) to insert have no value for ${column.name}, which is NOT NULL, without default and not staged`,
    );
  }
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
