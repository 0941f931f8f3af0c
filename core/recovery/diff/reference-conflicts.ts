import { type ForeignKey, tableName } from '../slice/catalog-types';
import type { PlanTable } from '../slice/plan-types';
import type { Reference } from '../slice/read-references';
import { staysInside } from '../slice/stays-inside.pure';
import { type ConflictInput, catalogTable, type Question } from './conflict-input';
import { type ConflictScope, parentMissing, referencedByStaying } from './conflict-queries.pure';
import { mappingsOf } from './mapping.pure';

/** Rows that go while others that stay reference them. */
export function referenceConflicts(
  scope: ConflictScope,
  scopes: readonly ConflictScope[],
  references: readonly Reference[],
): Question[] {
  return references
    .filter((one) => one.parent === tableName(scope.table))
    .map((reference) => ({
      scope,
      kind: 'referenced',
      sql: referencedByStaying(
        scope,
        reference,
        scopes.find((one) => tableName(one.table) === tableName(reference.child)),
      ),
      message: (rows) =>
        `${rows} row(s) to delete are referenced by rows of ${tableName(reference.child)} that stay (${reference.constraint})`,
    }));
}

/** Rows to write whose parent will not be there. */
export function parentConflicts(
  scope: ConflictScope,
  scopes: readonly ConflictScope[],
  { live, target, decisions }: ConflictInput,
  allWritten: (table: PlanTable) => boolean,
): Question[] {
  const table = tableName(scope.table);
  const staged = new Set(scope.table.columns.map((column) => column.name));
  const mappings = mappingsOf(decisions, table);
  const then = target?.catalog.tables.find((one) => tableName(one) === table)?.foreignKeys ?? [];
  return catalogTable(live, scope.table)
    .foreignKeys.filter((key) => key.columns.every((name) => staged.has(name)))
    .flatMap((key): Question[] => {
      const parent = scopes.find((one) => tableName(one.table) === tableName(key.parent));
      const mapped = mappings.some((map) => key.columns.includes(map.column));
      // The target itself kept this key, and both ends of it are written as they were there.
      if (
        parent !== undefined &&
        allWritten(parent.table) &&
        !mapped &&
        staysInside(scope.table, key, parent.table) &&
        then.some((one) => one.validated && sameKey(one, key))
      )
        return [];
      const written = parent && { ...parent, allWritten: allWritten(parent.table) };
      return [
        {
          scope,
          kind: 'parent-missing',
          sql: parentMissing(scope, key, written, mapped),
          message: (rows) =>
            `${rows} row(s) reference ${tableName(key.parent)} rows that are not there, or not the tenant's, any more (${key.name})`,
          columns: key.columns,
        },
      ];
    });
}

function sameKey(a: ForeignKey, b: ForeignKey): boolean {
  const ends = ({ parent, columns, parentColumns }: ForeignKey) =>
    JSON.stringify([tableName(parent), columns, parentColumns]);
  return ends(a) === ends(b);
}
