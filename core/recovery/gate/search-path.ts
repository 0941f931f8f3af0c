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

/**
 * For the rest of the transaction operators and types come from pg_catalog and from the schemas of the tenant columns' own
 * types (citext brings its `=` along), whatever the role's search_path is.
 */
export async function pinSearchPath(
  tx: Pick<ClientBase, 'query'>,
  tables: readonly GateTable[],
): Promise<void> {
  const columns = tables.flatMap((table) =>
    table.condition.kind === 'column' ? [{ ...table, column: table.condition.column }] : [],
  );
  const { rows } = await tx.query<{ schema: string }>(TYPE_SCHEMAS, [
    columns.map((column) => column.schema),
    columns.map((column) => column.name),
    columns.map((column) => column.column),
  ]);
  const path = ['pg_catalog', ...rows.map((row) => row.schema)].map(quoteIdentifier).join(', ');
  await tx.query(`set local search_path = ${path}`);
}
