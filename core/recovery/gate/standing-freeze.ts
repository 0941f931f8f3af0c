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
 * The freeze that an earlier call made, when it still holds every table of the spec. What is left of one that expired, was
 * opened or covers other tables is taken away, since its functions ask for a gate row that a new freeze replaces.
 */
export async function standingFreeze(
  pool: Pool,
  spec: FreezeSpec,
  control: StepControl,
): Promise<FreezeResult | undefined> {
  const client = await pool.connect();
  const found = await (async () => {
    const state = await gateState(client, spec.restoreId);
    const installed = await readInstalledGates(client, spec.restoreId);
    const relations = await readRelations(client, spec.tables);
    return { state, installed, relations };
  })().finally(() => client.release());

  const { state, installed, relations } = found;
  const covered = new Set(
    installed.flatMap((gate) => (gate.disabled ? [] : gate.relations.map((relation) => relation.oid))),
  );
  if (state.kind === 'frozen' && relations.every((relation) => covered.has(relation.oid))) {
    return {
      frozenAt: state.frozenAt,
      until: state.until,
      tables: spec.tables.length,
      attempts: 0,
      longestLockMs: 0,
    };
  }
  if (installed.length === 0) return undefined;
  const removal = await removeGate(pool, spec.restoreId, spec, control);
  if (!removal.removed) throw new FreezeBlockedError(spec, spec.attempts, removal.blockedBy);
  return undefined;
}
