import type { ClientBase } from 'pg';
import { gateTriggerName } from './gate-names.pure';
import type { GateTable } from './types';

/** One table, partitioned table or partition that needs triggers of its own. */
export interface GateRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Index into the freeze's tables. */
  readonly table: number;
  /** A partition of a gated table: PostgreSQL clones the root's row triggers onto it. */
  readonly inheritsRowTriggers: boolean;
  /** Has its triggers already: they are made together, so the one for TRUNCATE, which all have, stands for them. */
  readonly armed: boolean;
}

/**
 * Every relation below the given tables, each once. Plain inheritance children count as well: they inherit no trigger at
 * all, and a SELECT on the parent shows their rows as its own.
 */
const RELATIONS = `
with recursive given as (
  select k.ord::int4 - 1 as position, c.oid
  from unnest($1::text[], $2::text[]) with ordinality k (schema, name, ord)
  join pg_namespace n on n.nspname = k.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = k.name and c.relkind in ('r', 'p')
), tree as (
  select position, oid, false as clone, 0 as depth from given
  union all
  select t.position, i.inhrelid, c.relispartition, t.depth + 1
  from tree t join pg_inherits i on i.inhparent = t.oid join pg_class c on c.oid = i.inhrelid
)
select distinct on (t.oid)
  t.oid::int8 as oid, n.nspname as schema, c.relname as name, t.position as table,
  bool_or(t.clone) over (partition by t.oid) as "inheritsRowTriggers",
  exists (select from pg_trigger g where g.tgrelid = t.oid and g.tgname = $3 and g.tgenabled in ('O', 'A')) as armed
from tree t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
-- A partition that is listed beside its root belongs to the root.
order by t.oid, t.depth desc`;

interface RelationRow extends Omit<GateRelation, 'oid'> {
  readonly oid: string;
}

/** Ordered by table, roots first. */
export async function readRelations(
  client: Pick<ClientBase, 'query'>,
  tables: readonly GateTable[],
  restoreId: string,
): Promise<GateRelation[]> {
  const { rows } = await client.query<RelationRow>(RELATIONS, [
    tables.map((table) => table.schema),
    tables.map((table) => table.name),
    gateTriggerName(restoreId, 'truncate'),
  ]);
  return rows
    .map((row) => ({ ...row, oid: Number(row.oid) }))
    .sort(
      (a, b) =>
        a.table - b.table || Number(a.inheritsRowTriggers) - Number(b.inheritsRowTriggers) || a.oid - b.oid,
    );
}
