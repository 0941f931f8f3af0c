import type { ErasureConfig } from '../../config';
import { quoteIdentifier, quoteLiteral } from '../../database';
import { ErasureRuleError } from './errors/erasure-rule-error';
import type { ErasuresOfTenant } from './types';

export type ErasureRule = ErasureConfig['tables'][string];

export interface ErasedTable {
  /** `schema.table` of the rule. */
  readonly name: string;
  /** What the statement is about: the table, its staging or its pre-images, as SQL. */
  readonly relation: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Bounds it by the tenant, of the alias `t`; absent where the relation holds nothing else. */
  readonly owned?: string;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * Erases the rows of these people: one hash for each row of the tenant.
 *
 * @throws ErasureRuleError when the table has no such column
 */
export function eraseRowsSql(rule: ErasureRule, table: ErasedTable, found: ErasuresOfTenant): Statement {
  const typeOf = new Map(table.columns.map(({ name, type }) => [name, type]));
  if (!typeOf.has(rule.subject)) throw new ErasureRuleError(table.name, `it has no column ${rule.subject}`);
  const subject = `t.${quoteIdentifier(rule.subject)}`;
  const concerned = `${table.owned ?? 'true'} and sha256($1::bytea || convert_to(${subject}::text, 'UTF8')) = any ($2::bytea[])`;
  const values: unknown[] = [found.salt, found.erasures.map(({ subjectHash }) => subjectHash)];
  if (rule.set === undefined) return { sql: `delete from ${table.relation} t where ${concerned}`, values };
  const assignments = Object.entries(rule.set).flatMap(([column, value]) => {
    const type = typeOf.get(column);
    // A column that came after the restore's target: its rows have nothing in it.
    if (type === undefined) return [];
    // A literal has the column's type by itself; a parameter would need a cast, and a cast cuts texts off.
    return [`${quoteIdentifier(column)} = ${value === null ? 'null' : quoteLiteral(value)}`];
  });
  if (assignments.length === 0) throw new ErasureRuleError(table.name, 'it has none of the columns to set');
  return { sql: `update ${table.relation} t set ${assignments.join(', ')} where ${concerned}`, values };
}
