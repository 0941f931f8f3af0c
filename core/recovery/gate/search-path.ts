import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../../../database';
import type { GateTable } from './types';

const TYPE_SCHEMAS = `
select distinct n.nspname as schema
from unnest($1::text[], $2::text[], $3::text[]) k (schema, name, column_name)
join pg_namespace kn on kn.nspname = k.schema
join pg_class c on c.relnamespace = kn.oid and c.relname = k.name
join pg_attribute a on a.attrelid = c.oid and a.attname = k.column_name
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
join pg_namespace n on n.oid in (t.typnamespace, b.typnamespace)
where n.nspname <> 'pg_catalog'`;

/** The schemas beside pg_catalog that the tenant columns' types come from. */
export async function typeSchemas(
  client: Pick<ClientBase, 'query'>,
  tables: readonly GateTable[],
): Promise<readonly string[]> {
  const columns = tables.flatMap((table) =>
    table.condition.kind === 'column' ? [{ ...table, column: table.condition.column }] : [],
  );
  const { rows } = await client.query<{ schema: string }>(TYPE_SCHEMAS, [
    columns.map((column) => column.schema),
    columns.map((column) => column.name),
    columns.map((column) => column.column),
  ]);
  return rows.map((row) => row.schema);
}

/**
 * A statement after which, for the rest of the transaction, operators and types come from pg_catalog and from the schemas of
 * the tenant columns' own types (citext brings its `=` along), whatever the role's search_path is.
 */
export function setSearchPath(schemas: readonly string[]): string {
  return `set local search_path = ${['pg_catalog', ...schemas].map(quoteIdentifier).join(', ')}`;
}
