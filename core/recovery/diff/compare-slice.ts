import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { bothEnded } from '../both-ended';
import type { RecoveryContext, StepControl } from '../engine';
import { dropRestoreRelations } from '../record/drop-relations';
import { type Sessions, sharedBy } from '../sessions';
import { tableName } from '../slice/catalog-types';
import { largestFirst } from '../slice/largest-first';
import type { LiveSlice } from '../slice/load-slice';
import type { PlanTable } from '../slice/plan-types';
import { SET_BULK_SETTINGS, SET_WAITING_SETTINGS } from './bulk-settings';
import { liveFromStaged } from './change-groups.pure';
import { checkStage, forgetComparison } from './comparison';
import { type ChangesScope, computeChanges } from './compute-changes';
import type { AllGroups } from './group-changes';
import { setImageSettings } from './image.pure';
import { unmapStaging } from './map-staging';
import { measureLiveTable, type SliceLanes } from './measure-slice';
import type { Lanes } from './slice-digest.pure';

export interface SliceComparison {
  readonly groups: AllGroups;
  /** The live slice as it was compared. */
  readonly now: SliceLanes;
}

/**
 * Compares all tables with what is staged, several at a time. One snapshot for all sessions: the digest has to be of the
 * very rows that were compared, also when the tenant is not frozen yet. Each session commits its tables; a comparison
 * that is cut short leaves none on record and is simply made again.
 *
 * @param check looks in the same snapshot, beside the comparison; what it refuses is thrown, whatever became of that.
 */
export async function compareSlice(
  ctx: RecoveryContext,
  pool: Pool,
  asked: ChangesScope,
  check: (tx: ClientBase) => Promise<LiveSlice>,
  control: StepControl,
): Promise<SliceComparison & { readonly checked: LiveSlice }> {
  const { restoreId, plan } = asked;
  await inTransaction(pool, async (tx) => {
    await forgetComparison(tx, restoreId);
    await unmapStaging(tx, restoreId, plan);
  });
  await dropRestoreRelations(pool, restoreId, ['preview']);
  return inTransaction(
    pool,
    async (lead) => {
      await lead.query(SET_WAITING_SETTINGS);
      const { snapshot, logged } = await exportSnapshot(lead);
      const sessions = sharedBy(
        pool,
        ctx.config.recovery.sessions,
        async (tx) => {
          await tx.query(`set transaction snapshot '${snapshot}'`);
          await tx.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
        },
        { isolation: 'repeatable read' },
      );
      const order = await largestFirst(lead, plan.tables);
      // Where the schema has changed, a comparison fails as well, and says less about it.
      const [checked, comparison] = await bothEnded(
        check(lead),
        compareTables(sessions, order, { ...asked, logged }, control),
      );
      return { checked, ...comparison };
    },
    { isolation: 'repeatable read' },
  );
}

/** And whether the preview's changes may be logged: not where WAL is decoded. */
async function exportSnapshot(
  lead: ClientBase,
): Promise<{ readonly snapshot: string; readonly logged: boolean }> {
  const { rows } = await lead.query<{ snapshot: string; logged: boolean }>(
    `select pg_export_snapshot() as snapshot, not exists (select from pg_replication_slots
       where slot_type = 'logical' and database = current_database()) as logged`,
  );
  return { snapshot: rows[0]?.snapshot ?? '', logged: rows[0]?.logged ?? false };
}

async function compareTables(
  sessions: Sessions,
  order: readonly PlanTable[],
  scope: ChangesScope,
  control: StepControl,
): Promise<SliceComparison> {
  const { restoreId, plan } = scope;
  let done = 0;
  const compared = await sessions.each(order, async (tx, table) => {
    control.signal?.throwIfAborted();
    control.progress?.({ step: `comparing ${tableName(table)}`, done, total: plan.tables.length });
    await checkStage(tx, restoreId, table);
    const groups = await computeChanges(tx, scope, table);
    const now = liveFromChanges(scope, table, groups) ?? (await measureLiveTable(tx, restoreId, plan, table));
    done += 1;
    return { table, groups, now };
  });
  return {
    groups: new Map(compared.map(({ table, groups }) => [table.n, groups])),
    now: new Map(compared.map(({ table, now }) => [tableName(table), now])),
  };
}

/** Undefined where some differences are no changes: by the modes, or because an undo looks at a part of the rows. */
function liveFromChanges(
  { plan, modes }: ChangesScope,
  { stagedImage, stagedRows }: PlanTable,
  groups: Parameters<typeof liveFromStaged>[1],
): Lanes | undefined {
  const all = modes.create && modes.update && modes.delete && plan.undoOf === undefined;
  if (!all || stagedImage === undefined) return undefined;
  const staged = { rows: BigInt(stagedRows), a: BigInt(stagedImage.a), b: BigInt(stagedImage.b) };
  return liveFromStaged(staged, groups);
}
