import type { Pool } from 'pg';
import type { StepControl } from '../engine';
import { FreezeBlockedError } from '../errors/freeze-blocked-error';
import type { FreezeResult } from '../types';
import { gateState } from './gate-row';
import { readInstalledGates } from './installation';
import { readRelations } from './read-relations';
import { removeGate } from './remove-gate';
import type { FreezeSpec } from './types';

/**
 * The freeze that an earlier call completed, when it still holds every table of the spec. One that is being made is left
 * for the caller to take up; what is left of one that expired, was opened or misses a table is taken away, since its
 * functions ask for a gate row that a new freeze replaces.
 */
export async function standingFreeze(
  pool: Pool,
  spec: FreezeSpec,
  control: StepControl,
): Promise<FreezeResult | undefined> {
  const state = await gateState(pool, spec.restoreId);
  if (state.kind === 'arming') return undefined;
  if (state.kind === 'frozen' && (await coversAll(pool, spec))) {
    const { frozenAt, until } = state;
    return { frozenAt, until, tables: spec.tables.length, attempts: 0, longestLockMs: 0 };
  }
  if ((await readInstalledGates(pool, spec.restoreId)).length === 0) return undefined;
  const removal = await removeGate(pool, spec.restoreId, spec, control);
  if (!removal.removed) throw new FreezeBlockedError(spec, spec.attempts, removal.blockedBy);
  return undefined;
}

async function coversAll(pool: Pool, spec: FreezeSpec): Promise<boolean> {
  const relations = await readRelations(pool, spec.tables, spec.restoreId);
  return relations.every((relation) => relation.armed);
}
