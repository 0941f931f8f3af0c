import type { ClientBase } from 'pg';
import type { PlanTable } from './plan-types';

const PAGES = `
select k.oid::int8 as oid, sum(greatest(c.relpages, 0))::int8 as pages
from unnest($1::oid[]) k (oid)
cross join lateral (select k.oid as relid union select relid from pg_partition_tree(k.oid)) t
join pg_class c on c.oid = t.relid
group by k.oid`;

/**
 * The order in which sessions that share tables end soonest: what takes longest is begun first, so that nobody waits for
 * one table at the end (Graham, "Bounds on Multiprocessing Timing Anomalies", 1969: at most a third above the best
 * order). By the statistics of the whole table: also a tenant's part of it is mostly found by reading in proportion.
 */
export async function largestFirst<Table extends Pick<PlanTable, 'n' | 'oid'>>(
  client: Pick<ClientBase, 'query'>,
  tables: readonly Table[],
): Promise<Table[]> {
  const { rows } = await client.query<{ oid: string; pages: string }>(PAGES, [
    tables.map((table) => table.oid),
  ]);
  const pages = new Map(rows.map((row) => [Number(row.oid), Number(row.pages)]));
  const size = (table: Table) => pages.get(table.oid) ?? 0;
  return [...tables].sort((a, b) => size(b) - size(a) || a.n - b.n);
}
