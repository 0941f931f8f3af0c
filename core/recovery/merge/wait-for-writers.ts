import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { WritersOpenError } from '../errors/writers-open-error';
import { type Catalog, tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { changesTable } from '../slice/restore-tables.pure';

const LIMIT_MS = 10_000;
const POLL_MS = 50;

/**
 * Before deferrable constraints are proved, transactions that wrote to their tables before the merge did have to end: they
 * checked their own values when ours were not there yet, and our proof does not see theirs until they commit. (Tried: both
 * committed, with the same value.) Those that write later meet our index entries in their own check and wait for us. As in
 * CREATE INDEX CONCURRENTLY, nobody is blocked meanwhile.
 */
export async function waitForWriters(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  live: Catalog,
): Promise<void> {
  for (const table of plan.tables) {
    if (!hasDeferrable(table, live) || !(await anyWritten(tx, restoreId, table))) continue;
    const deadline = performance.now() + LIMIT_MS;
    let open = await openWriters(tx, table);
    while (open.length > 0) {
      if (performance.now() > deadline) throw new WritersOpenError(tableName(table), open);
      await delay(POLL_MS);
      const still = new Set((await openWriters(tx, table)).map((writer) => writer.transaction));
      open = open.filter((writer) => still.has(writer.transaction));
    }
  }
}

function hasDeferrable(table: PlanTable, live: Catalog): boolean {
  const catalog = live.tables.find((one) => tableName(one) === tableName(table));
  return [...(catalog?.uniques ?? []), ...(catalog?.exclusions ?? [])].some((one) => one.deferrable);
}

async function anyWritten(tx: ClientBase, restoreId: string, table: PlanTable): Promise<boolean> {
  const { rows } = await tx.query<{ any: boolean }>(
    `select exists (select from ${changesTable(restoreId, table)} where chronawflow_op in ('i', 'u') and not chronawflow_skip) as any`,
  );
  return rows[0]?.any ?? false;
}

async function openWriters(
  tx: ClientBase,
  table: PlanTable,
): Promise<{ readonly transaction: string; readonly pid: number | null }[]> {
  const { rows } = await tx.query<{ transaction: string; pid: number | null }>(
    `select distinct l.virtualtransaction as transaction, l.pid from pg_locks l
     where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
       and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock')
       and l.database = (select oid from pg_database where datname = current_database())
       and l.relation in (select $1::oid union select relid from pg_partition_tree($1::oid))`,
    [table.oid],
  );
  return rows;
}
