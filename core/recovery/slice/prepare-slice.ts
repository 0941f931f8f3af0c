import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { setImageSettings } from '../diff/image.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { freezeNotices } from '../gate/freeze-notices';
import { loadRecord } from '../record/restore-record';
import { tableName } from './catalog-types';
import { planLive } from './plan-live';
import type { PlanTable, SlicePlan } from './plan-types';
import { stageTable } from './restore-tables.pure';
import { createStageSql } from './stage-sql.pure';

/** What could be made of a slice's staging before the target was reached; stored as JSON with the restore's record. */
export interface PreparedSlice {
  readonly schemaHash: string;
  /** About the freeze. */
  readonly notices: readonly string[];
  /** By table number, the statement that made its staging table. */
  readonly stages: Readonly<Record<number, string>>;
}

/** Made in one transaction: each takes several locks, and max_locks_per_transaction is 64 by default. */
const TABLES_AT_ONCE = 8;

/**
 * Does what needs only the live side, beside the restore of the scratch cluster: finds the slice, so that a table that
 * cannot be attributed is told at once, makes the staging tables as they will be when no table has changed its columns
 * since the target, and measures what the freeze will cost others. Staging looks at everything again.
 *
 * @throws AttributionUnclearError, RestoreClosedError
 */
export async function prepareSlice(
  ctx: RecoveryContext,
  restoreId: string,
  control: StepControl,
): Promise<{ readonly tables: number }> {
  const { state, tenant } = await loadRecord(ctx.application, restoreId);
  if (state !== 'active') throw new RestoreClosedError(restoreId, state);
  const plan = await inTransaction(ctx.application, (tx) => planLive(tx, ctx.config.tenancy, tenant));
  const stages: Record<number, string> = {};
  for (let i = 0; i < plan.tables.length; i += TABLES_AT_ONCE) {
    control.signal?.throwIfAborted();
    const batch = plan.tables.slice(i, i + TABLES_AT_ONCE);
    control.progress?.({
      step: `preparing ${batch.map(tableName).join(', ')}`,
      done: i,
      total: plan.tables.length,
    });
    const made = await makeStages(ctx.application, restoreId, plan, batch);
    if (made === undefined) return { tables: 0 };
    Object.assign(stages, made);
  }
  const notices = await freezeNotices(ctx.application, plan);
  await savePrepared(ctx.application, restoreId, { schemaHash: plan.schemaHash, notices, stages });
  return { tables: plan.tables.length };
}

/**
 * Ends the preparation: from here on staging alone touches its tables. What was prepared is given once, since a second
 * attempt at staging finds tables that the first one may have filled.
 */
export async function takePrepared(
  db: Pool | ClientBase,
  restoreId: string,
): Promise<PreparedSlice | undefined> {
  const { rows } = await db.query<{ prepared: PreparedSlice | null }>(
    `with found as (select prepared from chronawflow.restore where id = $1 for update)
     update chronawflow.restore r set prepared = '{"taken": true}' from found
     where r.id = $1 returning case when found.prepared ? 'stages' then found.prepared end as prepared`,
    [restoreId],
  );
  return rows[0]?.prepared ?? undefined;
}

/** Locks the record: what the caller's transaction makes is there before staging takes it, or not at all. */
async function isTaken(tx: ClientBase, restoreId: string): Promise<boolean> {
  const { rows } = await tx.query<{ taken: boolean }>(
    `select coalesce(prepared ? 'taken', false) as taken from chronawflow.restore where id = $1 for update`,
    [restoreId],
  );
  return rows[0]?.taken ?? true;
}

async function savePrepared(db: Pool, restoreId: string, prepared: PreparedSlice): Promise<void> {
  await db.query(
    `update chronawflow.restore set prepared = $2 where id = $1 and not coalesce(prepared ? 'taken', false)`,
    [restoreId, JSON.stringify(prepared)],
  );
}

/** @returns undefined when staging has begun: an attempt that was given up comes too late. */
async function makeStages(
  pool: Pool,
  restoreId: string,
  plan: SlicePlan,
  tables: readonly PlanTable[],
): Promise<Record<number, string> | undefined> {
  const made = tables.map((table) => [table.n, createStageSql(restoreId, table)] as const);
  const statements = tables.flatMap((table) => [
    `drop table if exists ${stageTable(restoreId, table)}`,
    createStageSql(restoreId, table),
  ]);
  return inTransaction(pool, async (tx) => {
    if (await isTaken(tx, restoreId)) return undefined;
    await tx.query([setImageSettings(plan.searchPath), ...statements].join('; '));
    return Object.fromEntries(made);
  });
}
