import { tableName } from '../slice/catalog-types';

/** Whether `recovery.sensitiveColumns` names the column: `schema.table.column`, or `*.table.column` in any schema. */
export function isSensitive(
  listed: readonly string[],
  table: { readonly schema: string; readonly name: string },
  column: string,
): boolean {
  return listed.includes(`${tableName(table)}.${column}`) || listed.includes(`*.${table.name}.${column}`);
}
