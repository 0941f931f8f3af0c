import type { ClientBase } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import { type ChangesKind, changesName } from './compute-changes';
import { hasManyChanges } from './many-changes';

/**
 * A connection whose client went away is ended by the server; compiling the merge's one-off statements costs more than
 * it gains (jit); sorts and hashes of a tenant's rows stay in memory; ANALYZE of the restore's own tables has to tell their
 * size, not their distribution.
 */
export const SET_BULK_SETTINGS = [
  `set local jit = off`,
  `set local default_statistics_target = 10`,
  `set local work_mem = '128MB'`,
  `set local maintenance_work_mem = '256MB'`,
  `set local idle_in_transaction_session_timeout = '60s'`,
].join('; ');

/**
 * Invariant 17: the application's tables cannot be analyzed by a role that does not own them, and their statistics may
 * be from before the accident: with all rows gone, a proof planned as a nested loop ran twenty minutes instead of a second.
 */
export async function planForSize(
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
  kind: ChangesKind,
): Promise<void> {
  for (const table of plan.tables) {
    if (!(await hasManyChanges(tx, changesName(kind, restoreId, table)))) continue;
    await tx.query('set local enable_nestloop = off');
    return;
  }
}
