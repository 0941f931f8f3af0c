import type { ClientBase } from 'pg';
import { GATE_FUNCTION_PREFIX, gateFunctionPrefix } from './gate-names.pure';

/** One gate function with the relations whose triggers call it. */
export interface InstalledGate {
  readonly restoreId: string;
  /** `chronawflow."gate_of_…"`, ready for DROP FUNCTION. */
  readonly functionName: string;
  /** Parents before their partitions, the order in which writers lock them. */
  readonly relations: readonly InstalledRelation[];
}

export interface InstalledRelation {
  readonly oid: number;
  /** Quoted and qualified. */
  readonly name: string;
  readonly depth: number;
}

interface InstalledRow extends Omit<InstalledGate, 'relations'> {
  readonly relations: readonly InstalledRelation[] | null;
}

const INSTALLED = `
select
  obj_description(p.oid, 'pg_proc') as "restoreId",
  format('%I.%I', 'chronawflow', p.proname) as "functionName",
  jsonb_agg(distinct jsonb_build_object('oid', c.oid::int8, 'name', format('%I.%I', n.nspname, c.relname),
    'depth', (select count(*) from pg_partition_ancestors(c.oid)))) filter (where c.oid is not null) as relations
from pg_proc p
left join pg_trigger t on t.tgfoid = p.oid
left join pg_class c on c.oid = t.tgrelid
left join pg_namespace n on n.oid = c.relnamespace
where p.pronamespace = 'chronawflow'::regnamespace and starts_with(p.proname, $1)
  and obj_description(p.oid, 'pg_proc') is not null
group by p.oid, p.proname
order by p.proname`;

/** The gate functions in the database, of one restore or of all. */
export async function readInstalledGates(
  client: Pick<ClientBase, 'query'>,
  restoreId?: string,
): Promise<InstalledGate[]> {
  const prefix = restoreId === undefined ? GATE_FUNCTION_PREFIX : gateFunctionPrefix(restoreId);
  const { rows } = await client.query<InstalledRow>(INSTALLED, [prefix]);
  return rows.map((row) => ({
    ...row,
    relations: [...(row.relations ?? [])].sort((a, b) => a.depth - b.depth || a.oid - b.oid),
  }));
}
