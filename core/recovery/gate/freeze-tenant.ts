import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { messageOf } from '../../errors';
import type { StepControl } from '../engine';
import { FreezeBlockedError } from '../errors/freeze-blocked-error';
import { GateBusyError } from '../errors/gate-busy-error';
import type { FreezeResult } from '../types';
import { type ArmingFreeze, armTable } from './arm-table';
import { type Blocker, chooseApproach } from './blocker.pure';
import { checkSpec } from './check-spec';
import { findBlockers } from './find-blockers';
import { beginFreeze, completeFreeze, gateState, renewArming } from './gate-row';
import { interruptAutovacuum } from './interrupt-autovacuum';
import { readRelations } from './read-relations';
import { removeGate } from './remove-gate';
import { backoffMs, busiestFirst, tryBudgetMs } from './retry-plan.pure';
import { typeSchemas } from './search-path';
import { readDeadlockTimeoutMs } from './server-limits';
import { standingFreeze } from './standing-freeze';
import type { FreezeSpec, GateTable } from './types';

/** How long the tenant stays refused when the maker of a freeze dies; renewed with every try. */
const ARMING_LEASE_MS = 15_000;

/**
 * Freezes the tenant: when this returns, no write of the tenant that began earlier can still commit, and later ones fail
 * with SQLSTATE TF001, until the gate is opened or its time is up (README.md, invariants 1 to 4).
 *
 * Calling it again is safe at any point: a freeze that stands is returned, one whose maker died is taken up, what an
 * expired one left is replaced.
 *
 * @throws FreezeBlockedError naming who held a table's lock in every try; the tenant writes on.
 * @throws RightsMissingError, InvalidInputError, GateBusyError
 */
export async function freezeTenant(
  pool: Pool,
  spec: FreezeSpec,
  control: StepControl,
): Promise<FreezeResult> {
  await checkSpec(pool, spec);
  const standing = await standingFreeze(pool, spec, control);
  if (standing !== undefined) return standing;

  const deadlockTimeoutMs = await readDeadlockTimeoutMs(pool);
  const budgetMs = tryBudgetMs(spec.lockTimeoutMs, deadlockTimeoutMs);
  const leaseMs = ARMING_LEASE_MS + 10 * budgetMs;
  const frozenAt = await beginFreeze(pool, spec, leaseMs);
  if (frozenAt === undefined) return freezeTenant(pool, spec, control);

  const { restoreId, tenant, refusal } = spec;
  const plainTypes = (await typeSchemas(pool, spec.tables)).length === 0;
  const freeze = { restoreId, tenant, refusal, frozenAt, leaseMs, budgetMs, plainTypes };
  try {
    const armed = await armAll(pool, freeze, spec, deadlockTimeoutMs, control);
    return { ...(await complete(pool, freeze, spec)), ...armed, tables: spec.tables.length };
  } catch (error) {
    // Another session of the same restore has taken over; what it holds is not ours to take back.
    if (error instanceof GateBusyError) {
      if ((await gateState(pool, spec.restoreId)).kind === 'frozen') return freezeTenant(pool, spec, control);
    } else await takeBack(pool, spec, error);
    throw error;
  }
}

/** Rounds over the tables that have no triggers yet, until none is left. */
async function armAll(
  pool: Pool,
  freeze: ArmingFreeze,
  spec: FreezeSpec,
  deadlockTimeoutMs: number,
  control: StepControl,
): Promise<{ readonly attempts: number; readonly longestLockMs: number }> {
  let pending = spec.tables;
  let blockers: readonly Blocker[] = [];
  let longestLockMs = 0;
  for (let attempt = 1; attempt <= spec.attempts; attempt++) {
    const relations = await readRelations(pool, pending, spec.restoreId);
    const relationsOf = (table: GateTable) =>
      relations.filter((relation) => pending[relation.table] === table);
    const seen = await findBlockers(pool, relations, 'create-triggers');
    const approach = chooseApproach(seen, freeze.budgetMs);
    if (approach.kind === 'interrupt-autovacuum') {
      await interruptAutovacuum(pool, approach.table, deadlockTimeoutMs);
    } else if (approach.kind === 'queue') {
      const left: GateTable[] = [];
      for (const table of busiestFirst(pending, tableName, tablesOf(seen))) {
        control.signal?.throwIfAborted();
        const tried = await armTable(pool, freeze, table, relationsOf(table));
        longestLockMs = Math.max(longestLockMs, tried.lockMs);
        if (!tried.armed) left.push(table);
      }
      pending = left;
      control.progress?.({
        step: 'freeze',
        done: spec.tables.length - pending.length,
        total: spec.tables.length,
      });
      if (pending.length === 0) return { attempts: attempt, longestLockMs };
    }
    // Those seen after a failed try stood in its way; with nobody left there, the ones before it are the best witness.
    const after = approach.kind === 'queue' ? await lookForBlockers(pool, spec, pending) : seen;
    blockers = [after, seen, blockers].find((list) => list.length > 0) ?? [];
    if (attempt < spec.attempts) {
      // A try that stayed out of the queue gives the blocker the time that it would have waited there.
      const pause =
        backoffMs(attempt, freeze.budgetMs, Math.random()) + (approach.kind === 'wait' ? freeze.budgetMs : 0);
      await sleep(pause, undefined, { signal: control.signal });
    }
  }
  throw new FreezeBlockedError(spec, spec.attempts, blockers);
}

/**
 * The moment from which the tenant counts as frozen. Taking the gate row waits for writers that got in while a lease had
 * run out; a partition that was attached after its root's turn sends the whole freeze round again.
 */
async function complete(
  pool: Pool,
  freeze: ArmingFreeze,
  spec: FreezeSpec,
): Promise<{ readonly frozenAt: string; readonly until: string }> {
  return inTransaction(
    pool,
    async (tx) => {
      if (!(await renewArming(tx, spec.restoreId, freeze.frozenAt, freeze.leaseMs))) {
        throw new GateBusyError(spec.restoreId);
      }
      const bare = (await readRelations(tx, spec.tables, spec.restoreId)).filter(
        (relation) => !relation.armed,
      );
      if (bare.length > 0) throw new GateBusyError(spec.restoreId);
      await completeFreeze(tx, spec.restoreId, spec.untilMs);
      const state = await gateState(tx, spec.restoreId);
      if (state.kind !== 'frozen') throw new GateBusyError(spec.restoreId);
      return { frozenAt: state.frozenAt, until: state.until };
    },
    { lockTimeoutMs: freeze.leaseMs },
  );
}

/** Opens the gate and removes its triggers; those that cannot be removed now let everybody pass until the sweep comes. */
async function takeBack(pool: Pool, spec: FreezeSpec, reason: unknown): Promise<void> {
  try {
    await removeGate(pool, spec.restoreId, spec);
  } catch (failure) {
    throw new AggregateError(
      [reason, failure],
      `the freeze of tenant ${spec.tenant} failed (${messageOf(reason)}) and could not be taken back ` +
        `(${messageOf(failure)}); it ends by itself within ${ARMING_LEASE_MS / 1000} s`,
    );
  }
}

async function lookForBlockers(
  pool: Pool,
  spec: FreezeSpec,
  tables: readonly GateTable[],
): Promise<Blocker[]> {
  return findBlockers(pool, await readRelations(pool, tables, spec.restoreId), 'create-triggers');
}

function tableName(table: GateTable): string {
  return `${table.schema}.${table.name}`;
}

function tablesOf(blockers: readonly Blocker[]): Set<string> {
  return new Set(blockers.flatMap((blocker) => blocker.tables));
}
