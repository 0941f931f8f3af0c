import type { Pool } from 'pg';
import { readInstalledGates } from './installation';
import { dropGate, type GateRemoval } from './remove-gate';
import type { LockLimits } from './types';

/**
 * A gate that stops nobody any more, or that no living restore needs. One whose restore is over but that still says frozen
 * is opened first; one that is frozen for an active restore is left alone.
 */
const FINISHED = `
select k.id as "restoreId"
from unnest($1::text[]) k (id)
left join chronawflow.gate g on g.restore_id = k.id
left join chronawflow.restore r on r.id = k.id
where g.restore_id is null or g.state = 'open' or g.until <= clock_timestamp()
   or r.closed_at is not null or r.state <> 'active'`;

/** Opens only what a finished restore left frozen; skips a row that a merge holds. */
const OPEN_FINISHED = `
update chronawflow.gate set state = 'open'
where restore_id in (
  select g.restore_id from chronawflow.gate g join chronawflow.restore r on r.id = g.restore_id
  where g.restore_id = any ($1) and g.state = 'frozen' and (r.closed_at is not null or r.state <> 'active')
  for update of g skip locked)`;

export type SweptGate = { readonly restoreId: string } & GateRemoval;

/** Takes away the gates of restores that are over or whose freeze has expired. Safe to run at any time, by several at once. */
export async function sweepGates(
  pool: Pool,
  limits: LockLimits = { lockTimeoutMs: 200, attempts: 3 },
): Promise<SweptGate[]> {
  const installed = await readInstalledGates(pool);
  const ids = [...new Set(installed.map((gate) => gate.restoreId))];
  if (ids.length === 0) return [];
  const { rows } = await pool.query<{ restoreId: string }>(FINISHED, [ids]);
  const finished = rows.map((row) => row.restoreId);
  await pool.query(OPEN_FINISHED, [finished]);
  const swept: SweptGate[] = [];
  for (const restoreId of finished) swept.push({ restoreId, ...(await dropGate(pool, restoreId, limits)) });
  return swept;
}
