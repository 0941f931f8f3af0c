import type { ClientBase } from 'pg';
import type { PlanTable } from './plan-types';

/**
 * Invariant 12: the scratch cluster may run on other collation libraries than its data came from, and an index over text
 * that is sorted by another version misses rows silently. Where a version differs, the table is read without its indexes.
 */
export async function forbidTextIndexes(scratch: ClientBase, table: PlanTable): Promise<void> {
  const { rows } = await scratch.query<{ differs: boolean }>(
    `select exists (
       select from pg_attribute a
       join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_collation l on l.oid = a.attcollation
       where n.nspname = $1 and c.relname = $2 and a.attnum > 0
         and case when l.collprovider = 'd'
           then (select d.datcollversion is distinct from pg_database_collation_actual_version(d.oid) from pg_database d where d.datname = current_database())
           else l.collversion is distinct from pg_collation_actual_version(l.oid) end) as differs`,
    [table.schema, table.name],
  );
  if (!rows[0]?.differs) return;
  await scratch.query(
    'set local enable_seqscan = on; set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off',
  );
}
