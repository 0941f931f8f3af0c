import type { ClientBase } from 'pg';

/** A foreign key of any table in the database that points at a table of the slice. */
export interface Reference {
  readonly constraint: string;
  readonly child: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
  /** `schema.table` of the slice table that is referenced. */
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

/** A partition counts as its root. Also from schemas that the configuration does not name: a row that goes must not leave anybody's reference dangling. */
export async function readReferences(
  client: ClientBase,
  tables: readonly { readonly oid: number }[],
): Promise<Reference[]> {
  const { rows } = await client.query<Reference>(
    `select k.conname as constraint,
       jsonb_build_object('schema', cn.nspname, 'name', c.relname) as child,
       (select array_agg(a.attname::text order by u.ord) from unnest(k.conkey) with ordinality u (attnum, ord)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
       pn.nspname || '.' || p.relname as parent,
       (select array_agg(a.attname::text order by u.ord) from unnest(k.confkey) with ordinality u (attnum, ord)
          join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum) as "parentColumns"
     from pg_constraint k
     join pg_class c on c.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid) join pg_namespace cn on cn.oid = c.relnamespace
     join pg_class p on p.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid) join pg_namespace pn on pn.oid = p.relnamespace
     where k.contype = 'f' and k.conparentid = 0 and p.oid = any ($1::oid[])
     order by parent, cn.nspname, c.relname, k.conname`,
    [tables.map((table) => table.oid)],
  );
  return rows;
}
