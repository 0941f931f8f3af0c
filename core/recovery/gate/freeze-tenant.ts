import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { StepControl } from '../engine';
import { FreezeBlockedError } from '../errors/freeze-blocked-error';
import type { FreezeResult } from '../types';
import { type Blocker, chooseApproach } from './blocker.pure';
import { checkSpec } from './check-spec';
import { findBlockers } from './find-blockers';
import { interruptAutovacuum } from './interrupt-autovacuum';
import { readRelations } from './read-relations';
import { backoffMs, busiestFirst, tryBudgetMs } from './retry-plan.pure';
import { readDeadlockTimeoutMs } from './server-limits';
import { standingFreeze } from './standing-freeze';
import { tryFreeze } from './try-freeze';
import type { FreezeSpec } from './types';

/**
 * Freezes the tenant: when this returns, no write of the tenant that began earlier can still commit, and later ones fail
 * with SQLSTATE TF001, until the gate is opened or its time is up (README.md, invariants 1 to 4).
 *
 * Calling it again is safe at any point: a freeze that stands is returned, what a broken or expired one left is replaced.
 *
 * @throws FreezeBlockedError naming who held the tables' locks in every try; then nothing was changed.
 * @throws RightsMissingError, InvalidInputError
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
  let longestLockMs = 0;
  let blockers: readonly Blocker[] = [];
  for (let attempt = 1; attempt <= spec.attempts; attempt++) {
    control.signal?.throwIfAborted();
    control.progress?.({ step: 'freeze', done: attempt - 1, total: spec.attempts });
    const seen = await lookForBlockers(pool, spec);
    const approach = chooseApproach(seen, budgetMs);
    if (approach.kind === 'queue') {
      const ordered = busiestFirst(spec.tables, (table) => `${table.schema}.${table.name}`, tablesOf(seen));
      const tried = await tryFreeze(pool, { ...spec, tables: ordered }, budgetMs);
      longestLockMs = Math.max(longestLockMs, tried.lockMs);
      if (tried.kind === 'frozen')
        return { ...tried.gate, tables: spec.tables.length, attempts: attempt, longestLockMs };
      if (tried.kind === 'frozen-by-another') return freezeTenant(pool, spec, control);
    }
    if (approach.kind === 'interrupt-autovacuum')
      await interruptAutovacuum(pool, approach.table, deadlockTimeoutMs);
    // Those seen after a failed try stood in its way; with nobody left there, the ones before it are the best witness.
    const after = approach.kind === 'queue' ? await lookForBlockers(pool, spec) : seen;
    if (after.length > 0) blockers = after;
    else if (blockers.length === 0) blockers = seen;
    if (attempt < spec.attempts) {
      // A try that stayed out of the queue gives the blocker the time that it would have waited there.
      const pause = backoffMs(attempt, budgetMs, Math.random()) + (approach.kind === 'wait' ? budgetMs : 0);
      await sleep(pause, undefined, { signal: control.signal });
    }
  }
  throw new FreezeBlockedError(spec, spec.attempts, blockers);
}

async function lookForBlockers(pool: Pool, spec: FreezeSpec): Promise<Blocker[]> {
  const client = await pool.connect();
  try {
    return await findBlockers(client, await readRelations(client, spec.tables), 'create-triggers');
  } finally {
    client.release();
  }
}

function tablesOf(blockers: readonly Blocker[]): Set<string> {
  return new Set(blockers.flatMap((blocker) => blocker.tables));
}
