import type { Pool } from 'pg';
import { InvalidInputError } from '../../errors';
import { RightsMissingError } from '../errors/rights-missing-error';
import { sqlState } from './lock-failure';
import { readRelations } from './read-relations';
import type { FreezeSpec } from './types';

/**
 * Refuses what would otherwise fail inside a try, where others wait: a table that is not there, a tenant key that is no
 * value of its column's type, a right that was not granted (each partition needs its own).
 *
 * @throws InvalidInputError, RightsMissingError
 */
export async function checkSpec(pool: Pool, spec: FreezeSpec): Promise<void> {
  if (spec.tables.length === 0) throw new InvalidInputError('a freeze needs at least one table');
  const client = await pool.connect();
  try {
    const relations = await readRelations(client, spec.tables, spec.restoreId);
    const found = new Set(relations.map((relation) => relation.table));
    const absent = spec.tables.filter((_, index) => !found.has(index));
    if (absent.length > 0) {
      const names = absent.map((table) => `${table.schema}.${table.name}`).join(', ');
      throw new InvalidInputError(
        `no such table to freeze, or listed twice, or beside the table that it is a partition of: ${names}`,
      );
    }
    const { rows } = await client.query<{ name: string; role: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name, current_user as role
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.oid = any ($1::oid[])
         and not (has_table_privilege(c.oid, 'TRIGGER') and has_table_privilege(c.oid, 'UPDATE, DELETE'))`,
      [relations.map((relation) => relation.oid)],
    );
    const [first] = rows;
    if (first !== undefined) {
      throw new RightsMissingError(
        first.role,
        rows.map((row) => `TRIGGER, UPDATE and DELETE on ${row.name}`),
      );
    }
    const types = spec.tables.flatMap(({ condition }) =>
      condition.kind === 'column' ? [condition.type] : [],
    );
    for (const type of new Set(types)) await client.query(`select $1::text::${type}`, [spec.tenant]);
  } catch (error) {
    // Class 22: data exception, such as text that is no uuid.
    if (!sqlState(error)?.startsWith('22')) throw error;
    throw new InvalidInputError(`tenant ${spec.tenant} cannot be a value of the tenant column`, {
      cause: error,
    });
  } finally {
    client.release();
  }
}
