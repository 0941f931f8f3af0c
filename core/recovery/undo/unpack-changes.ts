import { inTransaction } from '../../../database';
import { unpackChanges } from '../diff/packed-changes.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { relationExists } from '../record/relation-exists';
import { lockRecord } from '../record/restore-record';
import type { SlicePlan } from '../slice/plan-types';
import { packedTable } from '../slice/restore-tables.pure';

/**
 * Gives the tables of changes that a merge has packed one row a change again. Done once; a second attempt, or a second undo,
 * finds them so.
 */
export async function unpackAllChanges(
  ctx: RecoveryContext,
  restoreId: string,
  plan: SlicePlan,
  control: StepControl,
): Promise<void> {
  for (const table of plan.tables) {
    control.signal?.throwIfAborted();
    if (!(await relationExists(ctx.application, packedTable(restoreId, table)))) continue;
    await inTransaction(ctx.application, async (tx) => {
      await lockRecord(tx, restoreId);
      if (!(await relationExists(tx, packedTable(restoreId, table)))) return;
      for (const statement of unpackChanges(restoreId, table)) await tx.query(statement);
    });
  }
}
