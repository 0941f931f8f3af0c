import type { ClientBase } from 'pg';
import { totalOfGroups } from './change-groups.pure';
import type { AllGroups } from './group-changes';
import { MANY_CHANGES } from './many-changes';

/**
 * A tenant's rows are a small part of a table, and its index finds those of a table without tenant column by their parents:
 * 22 ms in place of 248 for 14,000 of 700,000. The default of 4 is a disk's that has to turn, and would have had the planner
 * read the whole table (PostgreSQL 15, "Planner Cost Constants"). A third of the rows is read whole at either cost.
 */
export const SET_SLICE_READING = 'set local random_page_cost = 1.1';

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
  SET_SLICE_READING,
].join('; ');

/** For a session that waits, in its transaction, while others work: however long that takes, the server must not end it. */
export const SET_WAITING_SETTINGS = 'set local idle_in_transaction_session_timeout = 0';

/**
 * Invariant 17: the application's tables cannot be analyzed by a role that does not own them, and their statistics may
 * be from before the accident: with all rows gone, a proof planned as a nested loop ran twenty minutes instead of a second.
 */
export async function planForSize(tx: ClientBase, groups: AllGroups): Promise<void> {
  const many = [...groups.values()].some((ofTable) => totalOfGroups(ofTable) > MANY_CHANGES);
  if (many) await tx.query('set local enable_nestloop = off');
}
