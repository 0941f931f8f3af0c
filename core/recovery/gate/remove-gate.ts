import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import type { StepControl } from '../engine';
import { type Blocker, chooseApproach } from './blocker.pure';
import { findBlockers } from './find-blockers';
import { SET_FLUSHED_LATER } from './flushed-later';
import { lockGate, openGateNow } from './gate-row';
import { type InstalledGate, readInstalledGates } from './installation';
import { isLockFailure, sqlState } from './lock-failure';
import { backoffMs, tryBudgetMs } from './retry-plan.pure';
import { readDeadlockTimeoutMs } from './server-limits';
import type { LockLimits } from './types';

export type GateRemoval =
  | { readonly removed: true }
  /** The gate is open, so that the tenant writes; triggers that ask it are left for a later sweep. */
  | { readonly removed: false; readonly blockedBy: readonly Blocker[] };

/**
 * Opens the gate at once, then takes its triggers away, table by table: dropping a gate function with CASCADE is the only
 * way for a role that does not own the tables. It takes ACCESS EXCLUSIVE, for which even an idle reader stands in the way
 * and behind which everybody waits; so each try is short, for one table only, and the next table does not hang on the last.
 *
 * @throws GateBusyError when a merge holds the gate.
 */
export async function removeGate(
  pool: Pool,
  restoreId: string,
  limits: LockLimits,
  control: StepControl = {},
): Promise<GateRemoval> {
  await openGateNow(pool, restoreId);
  return dropGate(pool, restoreId, limits, control);
}

/** Drops the triggers and functions of a gate that lets everybody through already. */
export async function dropGate(
  pool: Pool,
  restoreId: string,
  limits: LockLimits,
  control: StepControl = {},
): Promise<GateRemoval> {
  const budgetMs = tryBudgetMs(limits.lockTimeoutMs, await readDeadlockTimeoutMs(pool));
  let blockedBy: readonly Blocker[] = [];
  for (let attempt = 1; attempt <= limits.attempts; attempt++) {
    control.signal?.throwIfAborted();
    const installed = await readInstalledGates(pool, restoreId);
    if (installed.length === 0) return { removed: true };
    control.progress?.({ step: 'remove-gate', done: attempt - 1, total: limits.attempts });
    blockedBy = await dropThose(pool, installed, budgetMs);
    if (attempt < limits.attempts && blockedBy.length > 0) {
      await sleep(backoffMs(attempt, budgetMs, Math.random()), undefined, { signal: control.signal });
    }
  }
  return (await readInstalledGates(pool, restoreId)).length === 0
    ? { removed: true }
    : { removed: false, blockedBy };
}

/** One round over the tables; returns who was in the way. */
async function dropThose(
  pool: Pool,
  installed: readonly InstalledGate[],
  budgetMs: number,
): Promise<Blocker[]> {
  const blockers: Blocker[] = [];
  // One look at all of them first: mostly nobody is in the way of any, and a look costs more than a drop.
  const relations = installed.flatMap((gate) => gate.relations);
  const quiet = (await findBlockers(pool, relations, 'drop-triggers')).length === 0;
  for (const gate of installed) {
    const before = quiet ? [] : await findBlockers(pool, gate.relations, 'drop-triggers');
    if (chooseApproach(before, budgetMs).kind === 'wait') blockers.push(...before);
    else if (!(await tryDrop(pool, gate, budgetMs))) {
      const after = await findBlockers(pool, gate.relations, 'drop-triggers');
      blockers.push(...(after.length > 0 ? after : before));
    }
  }
  return blockers;
}

/**
 * undefined_function: another sweep was faster. undefined_table: its table was dropped. internal_error covers "tuple concurrently deleted", which two sessions
 * that drop the same function can meet.
 */
const CHANGED_MEANWHILE = new Set(['42883', '42P01', 'XX000']);

/**
 * Under the gate row's lock, so that a new freeze of the same restore, which uses the same names, cannot come between the
 * look and the drop.
 */
async function tryDrop(pool: Pool, gate: InstalledGate, budgetMs: number): Promise<boolean> {
  try {
    return await inTransaction(
      pool,
      async (tx) => {
        const state = await lockGate(tx, gate.restoreId);
        if (state.kind !== 'absent' && state.kind !== 'open' && !state.past) return false;
        const names = gate.relations.map((relation) => relation.name);
        // DROP locks partitions before their root, writers the other way round: each try would meet them in a cycle.
        const lock =
          names.length > 0 ? [`lock table only ${names.join(', only ')} in access exclusive mode`] : [];
        // Each statement of a message has a timeout of its own, as it has in one of its own.
        await tx.query(
          [SET_FLUSHED_LATER, ...lock, `drop function if exists ${gate.functionName}() cascade`].join('; '),
        );
        return true;
      },
      { statementTimeoutMs: budgetMs },
    );
  } catch (error) {
    if (isLockFailure(error) || CHANGED_MEANWHILE.has(sqlState(error) ?? '')) return false;
    throw error;
  }
}
