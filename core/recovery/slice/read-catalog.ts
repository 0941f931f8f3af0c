import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { Catalog } from './catalog-types';

/**
 * Types whose `=` holds exactly when the stored images are the same, so that a plain comparison can be used. All others
 * (numeric 1.0 = 1.00, float -0 = 0, citext, jsonb, arrays, ranges, json and point without any `=`) are compared by image.
 * varchar and text qualify under a deterministic collation only; bpchar ignores trailing blanks and does not qualify.
 */
const EXACT_TYPES = [
  'bool',
  'int2',
  'int4',
  'int8',
  'uuid',
  'text',
  'varchar',
  'date',
  'timestamp',
  'timestamptz',
  'time',
  'bytea',
  'oid',
  'pg_lsn',
];

const TABLES = `
select
  c.oid::int8 as oid, n.nspname as schema, c.relname as name,
  c.relkind = 'p' as partitioned,
  c.relpersistence = 'u' or exists (select from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid where l.relpersistence = 'u') as unlogged,
  c.relrowsecurity as "rowSecurity",
  row_security_active(c.oid) as "rowSecurityActive",
  c.relhasrules as "hasRules",
  exists (select from pg_inherits h where c.relkind = 'r' and (h.inhparent = c.oid or h.inhrelid = c.oid)) as inherits,
  coalesce((select jsonb_agg(jsonb_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'storageType', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) else format_type(a.atttypid, a.atttypmod) end,
      'typeOid', a.atttypid::int8,
      'typeKind', t.typtype,
      'exactEquality', coalesce(b.typname, t.typname) = any ($2) and t.typtype in ('b', 'd')
        and coalesce(b.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace and coalesce(l.collisdeterministic, true),
      'notNull', a.attnotnull,
      'hasDefault', a.atthasdef or a.attidentity <> '',
      'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
      'generated', a.attgenerated <> '',
      'sequence', (select quote_ident(sn.nspname) || '.' || quote_ident(s.relname)
        from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_namespace sn on sn.oid = s.relnamespace
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
          and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i') limit 1)
    ) order by a.attnum)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
    left join pg_collation l on l.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
  coalesce((select jsonb_agg(jsonb_build_object(
      'name', ic.relname,
      'columns', case when 0 = any (i.indkey[0 : i.indnkeyatts - 1]) then null else
        (select jsonb_agg(a.attname order by k.ord) from unnest(i.indkey[0 : i.indnkeyatts - 1]) with ordinality k (attnum, ord)
           join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum) end,
      'expressions', (select jsonb_agg(pg_get_indexdef(i.indexrelid, k, false) order by k) from generate_series(1, i.indnkeyatts) k),
      'dependsOn', (select coalesce(jsonb_agg(distinct a.attname), '[]') from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid > 0
          and (d.classid, d.objid) in (('pg_class'::regclass, i.indexrelid), ('pg_constraint'::regclass, coalesce((select k.oid from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u') limit 1), 0)))),
      'predicate', pg_get_expr(i.indpred, i.indrelid),
      'nullsNotDistinct', i.indnullsnotdistinct,
      'deferrable', not i.indimmediate,
      'primary', i.indisprimary) order by ic.relname)
    from pg_index i join pg_class ic on ic.oid = i.indexrelid
    where i.indrelid = c.oid and i.indisunique and i.indisvalid), '[]') as uniques,
  coalesce((select jsonb_agg(jsonb_build_object(
      'name', k.conname,
      'expressions', (select jsonb_agg(pg_get_indexdef(k.conindid, p, false) order by p) from generate_series(1, array_length(k.conexclop, 1)) p),
      'dependsOn', (select coalesce(jsonb_agg(distinct a.attname), '[]') from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid > 0
          and (d.classid, d.objid) in (('pg_class'::regclass, k.conindid), ('pg_constraint'::regclass, k.oid))),
      'operators', (select jsonb_agg('OPERATOR(' || quote_ident(opn.nspname) || '.' || op.oprname || ')' order by e.ord)
        from unnest(k.conexclop) with ordinality e (opr, ord) join pg_operator op on op.oid = e.opr join pg_namespace opn on opn.oid = op.oprnamespace),
      'predicate', (select pg_get_expr(i.indpred, i.indrelid) from pg_index i where i.indexrelid = k.conindid),
      'deferrable', k.condeferrable) order by k.conname)
    from pg_constraint k where k.conrelid = c.oid and k.contype = 'x'), '[]') as exclusions,
  coalesce((select jsonb_agg(jsonb_build_object(
      'name', k.conname,
      'columns', (select jsonb_agg(a.attname order by u.ord) from unnest(k.conkey) with ordinality u (attnum, ord)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
      'parent', jsonb_build_object('schema', pn.nspname, 'name', p.relname),
      'parentColumns', (select jsonb_agg(a.attname order by u.ord) from unnest(k.confkey) with ordinality u (attnum, ord)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
      'match', case k.confmatchtype when 'f' then 'full' else 'simple' end,
      'validated', k.convalidated) order by k.conname)
    -- A key on or to a partitioned table has one constraint for each partition; the one without a parent stands for all.
    from pg_constraint k join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
    where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0), '[]') as "foreignKeys",
  coalesce((select jsonb_agg(jsonb_build_object(
      'name', k.conname,
      'partition', jsonb_build_object('schema', qn.nspname, 'name', q.relname),
      'columns', (select jsonb_agg(a.attname order by u.ord) from unnest(k.conkey) with ordinality u (attnum, ord)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
      'parent', jsonb_build_object('schema', pn.nspname, 'name', p.relname),
      'parentColumns', (select jsonb_agg(a.attname order by u.ord) from unnest(k.confkey) with ordinality u (attnum, ord)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
      'match', case k.confmatchtype when 'f' then 'full' else 'simple' end,
      'validated', k.convalidated) order by q.relname, k.conname)
    from pg_constraint k join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
    join pg_class q on q.oid = k.conrelid join pg_namespace qn on qn.oid = q.relnamespace
    where k.conrelid in (select relid from pg_partition_tree(c.oid) where relid <> c.oid) and k.contype = 'f' and k.conparentid = 0), '[]') as "partitionKeys",
  coalesce((select jsonb_agg(k.conname order by k.conname) from pg_constraint k
    where k.conrelid in (select relid from pg_partition_tree(c.oid) where relid <> c.oid)
      and k.contype in ('u', 'p', 'x') and k.condeferrable and k.conparentid = 0), '[]') as "partitionDeferrables",
  coalesce((select jsonb_agg(jsonb_build_object('name', k.conname, 'expression', pg_get_expr(k.conbin, k.conrelid)) order by k.conname)
    from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.convalidated), '[]') as checks,
  coalesce((select jsonb_agg(distinct jsonb_build_object('name', g.tgname, 'enabled', g.tgenabled))
    from pg_trigger g where g.tgrelid in (select c.oid union select relid from pg_partition_tree(c.oid)) and not g.tgisinternal and g.tgname not like 'chronawflow\\_gate%'), '[]') as triggers
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any ($1)
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname`;

const TYPES = `
select n.nspname || '.' || t.typname as name, t.typtype as kind,
  (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels,
  case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) || coalesce(
    (select string_agg(' ' || pg_get_constraintdef(k.oid), '' order by k.conname) from pg_constraint k where k.contypid = t.oid), '')
    || case when t.typnotnull then ' NOT NULL' else '' end end as definition,
  case when t.typtype = 'd' then coalesce((select jsonb_agg(pg_get_expr(k.conbin, 0) order by k.conname) from pg_constraint k where k.contypid = t.oid), '[]')
    || case when t.typnotnull then '["VALUE IS NOT NULL"]'::jsonb else '[]' end end as checks
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where t.typtype in ('e', 'd') and n.nspname not in ('pg_catalog', 'information_schema')
order by 1`;

/** The equality of every index on the tables of $1, and of every column's type, as far as it is not in pg_catalog. */
const OPERATOR_SCHEMAS = `
select distinct n.nspname::text as name
from pg_class c join pg_namespace s on s.oid = c.relnamespace and s.nspname = any ($1)
cross join lateral (
  select oc.opcfamily, oc.opcintype from pg_index i, unnest(i.indclass) k join pg_opclass oc on oc.oid = k where i.indrelid = c.oid
  union
  select oc.opcfamily, oc.opcintype from pg_attribute a join pg_type t on t.oid = a.atttypid
    join pg_opclass oc on oc.opcintype = case when t.typtype = 'd' then t.typbasetype else t.oid end and oc.opcdefault
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) used
join pg_amop m on m.amopfamily = used.opcfamily and m.amoplefttype = used.opcintype and m.amoprighttype = used.opcintype
join pg_operator o on o.oid = m.amopopr and o.oprname = '=' join pg_namespace n on n.oid = o.oprnamespace
where c.relkind in ('r', 'p') and n.nspname <> 'pg_catalog'
order by 1`;

const names = z.array(z.string());
const optional = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);

const qualified = z.object({ schema: z.string(), name: z.string() });
const foreignKey = z.object({
  name: z.string(),
  columns: names,
  parent: qualified,
  parentColumns: names,
  match: z.enum(['simple', 'full']),
  validated: z.boolean(),
});

const tableRow = z.object({
  oid: z.coerce.number(),
  schema: z.string(),
  name: z.string(),
  partitioned: z.boolean(),
  unlogged: z.boolean(),
  rowSecurity: z.boolean(),
  rowSecurityActive: z.boolean(),
  hasRules: z.boolean(),
  inherits: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      storageType: z.string(),
      typeOid: z.number(),
      typeKind: z.string(),
      exactEquality: z.boolean(),
      notNull: z.boolean(),
      hasDefault: z.boolean(),
      identity: optional(z.enum(['always', 'by default'])),
      generated: z.boolean(),
      sequence: optional(z.string()),
    }),
  ),
  uniques: z.array(
    z.object({
      name: z.string(),
      columns: optional(names),
      expressions: names,
      dependsOn: names,
      predicate: optional(z.string()),
      nullsNotDistinct: z.boolean(),
      deferrable: z.boolean(),
      primary: z.boolean(),
    }),
  ),
  exclusions: z.array(
    z.object({
      name: z.string(),
      expressions: names,
      dependsOn: names,
      operators: names,
      predicate: optional(z.string()),
      deferrable: z.boolean(),
    }),
  ),
  foreignKeys: z.array(foreignKey),
  partitionKeys: z.array(foreignKey.extend({ partition: qualified })),
  partitionDeferrables: names,
  checks: z.array(z.object({ name: z.string(), expression: z.string() })),
  triggers: z.array(z.object({ name: z.string(), enabled: z.enum(['O', 'A', 'R', 'D']) })),
});

const typeRow = z.object({
  name: z.string(),
  kind: z.string(),
  labels: optional(names),
  definition: optional(z.string()),
  checks: optional(names),
});

/**
 * Reads the tables of `schemas` (partitions are part of their root, tables of extensions are left out) in a few queries.
 * Works on a paused standby as well: nothing is written.
 */
export async function readCatalog(client: ClientBase, schemas: readonly string[]): Promise<Catalog> {
  // pg_get_expr and format_type leave out schemas that are on the search path; an empty one makes their output portable.
  const before = await client.query<{ path: string }>(`select current_setting('search_path') as path`);
  await client.query(`select set_config('search_path', '', false)`);
  try {
    const tables = await client.query(TABLES, [schemas, EXACT_TYPES]);
    const types = await client.query(TYPES);
    const views = await client.query<{ name: string }>(
      `select schemaname || '.' || matviewname as name from pg_matviews where schemaname = any ($1) order by 1`,
      [schemas],
    );
    const publications = await client.query<{ name: string }>(
      'select pubname as name from pg_publication order by 1',
    );
    const slots = await client.query<{ name: string }>(
      `select slot_name as name from pg_replication_slots where slot_type = 'logical' and database = current_database() order by 1`,
    );
    const operators = await client.query<{ name: string }>(OPERATOR_SCHEMAS, [schemas]);
    const parsedTypes = types.rows.map((row) => typeRow.parse(row));
    return {
      tables: tables.rows.map((row) => {
        const table = tableRow.parse(row);
        return { ...table, primaryKey: table.uniques.find((unique) => unique.primary)?.columns };
      }),
      enums: Object.fromEntries(
        parsedTypes.filter((t) => t.kind === 'e').map((t) => [t.name, t.labels ?? []]),
      ),
      domains: Object.fromEntries(
        parsedTypes.filter((t) => t.kind === 'd').map((t) => [t.name, t.definition ?? '']),
      ),
      domainChecks: Object.fromEntries(
        parsedTypes.filter((t) => t.kind === 'd').map((t) => [t.name, t.checks ?? []]),
      ),
      materializedViews: views.rows.map((row) => row.name),
      publications: publications.rows.map((row) => row.name),
      logicalSlots: slots.rows.map((row) => row.name),
      operatorSchemas: operators.rows.map((row) => row.name),
    };
  } finally {
    await client.query(`select set_config('search_path', $1, false)`, [before.rows[0]?.path ?? '']);
  }
}
