import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { SET_BULK_SETTINGS } from '../diff/bulk-settings';
import { allStagedRows } from '../diff/changes-sql.pure';
import { setImageSettings } from '../diff/image.pure';
import { MANY_CHANGES } from '../diff/many-changes';
import { isPackable, packChanges } from '../diff/packed-changes.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { dropChanges } from '../record/drop-relations';
import type { ForeignKey } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { changesTable, stageTable } from '../slice/restore-tables.pure';
import { danglingRows } from './prove-references';
import type { StagedKey } from './written-keys.pure';

/** Tables of which all staged rows come back, and the foreign keys of theirs that may be proved in staging. */
export interface Lost {
  /** By table number. */
  readonly tables: ReadonlySet<number>;
  readonly keys: readonly StagedKey[];
}

/**
 * What the merge need not do itself for tables that were lost whole, done by a second session while it writes them: the
 * changes that an undo will need are written from staging, and their foreign keys are proved there. Both read committed rows
 * only, which are exactly the ones that the merge inserts. Committed before the merge is; what a merge that failed leaves
 * is replaced by the next one, or dropped with the restore.
 *
 * @returns the keys that hold. One that does not may lead to a row outside the slice, which staging does not have: the
 *   merge proves it in the live tables.
 */
export async function keepLost(
  ctx: RecoveryContext,
  pool: Pool,
  restoreId: string,
  plan: SlicePlan,
  { tables, keys }: Lost,
  control: StepControl,
): Promise<ReadonlySet<ForeignKey>> {
  const proved = new Set<ForeignKey>();
  if (tables.size === 0) return proved;
  await inTransaction(
    pool,
    async (tx) => {
      await tx.query(
        `${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}; set local enable_nestloop = off`,
      );
      await dropChanges(tx, restoreId, [...tables]);
      for (const table of plan.tables.filter(({ n }) => tables.has(n))) {
        control.signal?.throwIfAborted();
        await tx.query(keepChanges(restoreId, table).join('; '));
      }
      for (const key of keys) {
        control.signal?.throwIfAborted();
        const rows = `${stageTable(restoreId, key.table)} s`;
        if ((await danglingRows(tx, key, rows, stageTable(restoreId, key.parent))) === 0) proved.add(key.key);
      }
    },
    { statementTimeoutMs: ctx.config.recovery.mergeLimit },
  );
  return proved;
}

function keepChanges(restoreId: string, table: PlanTable): readonly string[] {
  return table.stagedRows > MANY_CHANGES && isPackable(table)
    ? packChanges(restoreId, table)
    : [`create table ${changesTable(restoreId, table)} as ${allStagedRows({ restoreId, table })}`];
}
