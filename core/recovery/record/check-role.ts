import type { ClientBase } from 'pg';
import type { QualifiedName } from '../../../database';
import { RightsMissingError } from '../errors/rights-missing-error';
import { RowsHiddenError } from '../errors/rows-hidden-error';
import type { AttributedTable } from '../slice/attribution.pure';
import { tableName } from '../slice/catalog-types';
import { readReferences } from '../slice/read-references';

interface Need extends QualifiedName {
  readonly rights: readonly string[];
}

const SLICE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER'];
/** A parent outside the slice is locked FOR KEY SHARE, which takes UPDATE. */
const PARENT = ['SELECT', 'UPDATE'];
const CHILD = ['SELECT'];

/** Everything that the steps will do, asked for before the first of them: rights, and that no row is hidden. */
export async function checkRole(tx: ClientBase, slice: readonly AttributedTable[]): Promise<void> {
  const { rows } = await tx.query<{ role: string; replica: boolean; switch: boolean }>(
    `select current_user as role, has_parameter_privilege('session_replication_role', 'SET') as replica,
            has_function_privilege('pg_switch_wal()', 'EXECUTE') as switch`,
  );
  const role = rows[0]?.role ?? '';
  const missing: string[] = [];
  if (!rows[0]?.replica) missing.push('it may not set session_replication_role');
  if (!rows[0]?.switch) missing.push('it may not call pg_switch_wal()');
  const tables = await inspect(tx, await needs(tx, slice));
  for (const table of tables) {
    if (!table.usage) missing.push(`no USAGE on the schema of ${table.name}`);
    if (table.lacks.length > 0) missing.push(`no ${table.lacks.join(', ')} on ${table.name}`);
  }
  if (missing.length > 0) throw new RightsMissingError(role, missing);
  const hidden = tables.filter((table) => table.hidden).map((table) => table.name);
  if (hidden.length > 0) throw new RowsHiddenError(role, hidden);
}

/** The slice, and around it what its foreign keys lead to and come from. */
async function needs(tx: ClientBase, slice: readonly AttributedTable[]): Promise<Need[]> {
  const inside = new Set(slice.map(({ table }) => tableName(table)));
  const outside = (table: QualifiedName) => !inside.has(tableName(table));
  const parents = slice
    .flatMap(({ table }) => [...table.foreignKeys, ...table.partitionKeys])
    .map((key) => key.parent)
    .filter(outside);
  const references = await readReferences(
    tx,
    slice.map(({ table }) => table),
  );
  const children = references.map((reference) => reference.child).filter(outside);
  const unique = (tables: readonly QualifiedName[]) => [
    ...new Map(tables.map((table) => [tableName(table), table])).values(),
  ];
  return [
    ...slice.map(({ table }) => ({ schema: table.schema, name: table.name, rights: SLICE })),
    ...unique(parents).map((table) => ({ ...table, rights: PARENT })),
    ...unique(children).map((table) => ({ ...table, rights: CHILD })),
  ];
}

async function inspect(tx: ClientBase, wanted: readonly Need[]) {
  const { rows } = await tx.query<{ name: string; usage: boolean; lacks: string[]; hidden: boolean }>(
    `select n.nspname || '.' || c.relname as name, has_schema_privilege(n.oid, 'USAGE') as usage,
       array(select r from unnest(string_to_array(w.rights, ',')) r where not has_table_privilege(c.oid, r)) as lacks,
       row_security_active(c.oid) as hidden
     from unnest($1::text[], $2::text[], $3::text[]) with ordinality w (schema, name, rights, n_th)
     join pg_namespace n on n.nspname = w.schema join pg_class c on c.relnamespace = n.oid and c.relname = w.name
     order by w.n_th`,
    [
      wanted.map((one) => one.schema),
      wanted.map((one) => one.name),
      wanted.map((one) => one.rights.join(',')),
    ],
  );
  return rows;
}
