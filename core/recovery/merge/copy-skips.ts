import type { ClientBase } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import { joinColumns } from '../slice/predicate.pure';
import { changesTable, previewTable } from '../slice/restore-tables.pure';

/**
 * Takes over which changes the approved preview skips. Conflicts are not looked for again: a change that is new since
 * the preview makes another hash, and what other tenants did meanwhile is caught by the proofs before commit.
 */
export async function copySkips(tx: ClientBase, restoreId: string, plan: SlicePlan): Promise<void> {
  for (const table of plan.tables) {
    const same =
      table.key.length > 0
        ? joinColumns(table.key, table.key, 'p', 'c')
        : 'p.live_row is not distinct from c.live_row and p.live_part is not distinct from c.live_part and p.staged_row is not distinct from c.staged_row';
    await tx.query(
      `update ${changesTable(restoreId, table)} c set chronawflow_skip = true from ${previewTable(restoreId, table)} p where p.chronawflow_skip and p.chronawflow_op = c.chronawflow_op and ${same}`,
    );
  }
}
