import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { FreezeExpiredError } from '../errors/freeze-expired-error';
import { GateBusyError } from '../errors/gate-busy-error';
import { isLockFailure } from './lock-failure';
import type { GateState } from './types';

/** The gate row is held for milliseconds, except by a merge, and by writers that were let through by expiry. */
const ROW_LOCK_LIMIT_MS = 5_000;

/** ISO 8601 in UTC with microseconds, whatever the session's settings are. */
const iso = (expression: string) =>
  `to_char(${expression} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const STATE = `
select
  case when state = 'open' then 'open' when until <= clock_timestamp() then 'expired' else 'frozen' end as kind,
  tenant, ${iso('frozen_at')} as "frozenAt", ${iso('until')} as until
from chronawflow.gate where restore_id = $1`;

/** The gate as it stands, by the database's clock. */
export async function gateState(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<GateState> {
  const { rows } = await tx.query<Exclude<GateState, { kind: 'absent' }>>(STATE, [restoreId]);
  return rows[0] ?? { kind: 'absent' };
}

/**
 * Takes the gate row for the rest of the transaction and says what it holds. Only a look after the lock counts (invariant
 * 5): a writer that was let through by expiry keeps the row share-locked until its end, so we come after it, and see the
 * time at which it passed as past.
 */
export async function lockGate(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<GateState> {
  await tx.query('select from chronawflow.gate where restore_id = $1 for update', [restoreId]);
  return gateState(tx, restoreId);
}

/** @throws FreezeExpiredError unless the tenant stands frozen without a break since the freeze. */
async function lockFrozenGate(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<void> {
  const state = await lockGate(tx, restoreId);
  if (state.kind !== 'frozen') throw new FreezeExpiredError(restoreId, state.kind);
}

const OPEN = `update chronawflow.gate set state = 'open' where restore_id = $1`;

/**
 * Opens the gate with the caller's transaction: its commit lets the tenant's writers in, its rollback leaves them out.
 * The row stays locked meanwhile, so the freeze cannot expire under the transaction; called first in the merge, it also
 * proves that nobody wrote since the freeze.
 *
 * @param tx an open READ COMMITTED transaction.
 * @throws FreezeExpiredError
 */
export async function openGate(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<void> {
  await lockFrozenGate(tx, restoreId);
  await tx.query(OPEN, [restoreId]);
}

const EXTEND = `
update chronawflow.gate
set until = greatest(until, clock_timestamp() + $2::float8 * interval '1 millisecond')
where restore_id = $1 returning ${iso('until')} as until`;

/**
 * Prolongs the freeze to `untilMs` milliseconds from now; never shortens it.
 *
 * @returns when it ends, by the database's clock.
 * @throws FreezeExpiredError when it ended already.
 * @throws GateBusyError while a merge holds the gate.
 */
export async function extendGate(pool: Pool, restoreId: string, untilMs: number): Promise<{ until: string }> {
  return withGateRow(pool, restoreId, async (tx) => {
    await lockFrozenGate(tx, restoreId);
    const { rows } = await tx.query<{ until: string }>(EXTEND, [restoreId, untilMs]);
    const row = rows[0];
    // Unreachable while the row is locked; the type does not know that.
    if (row === undefined) throw new FreezeExpiredError(restoreId, 'absent');
    return row;
  });
}

/** Opens the gate in a transaction of its own, whatever state it is in; nothing happens when there is none. */
export async function openGateNow(pool: Pool, restoreId: string): Promise<void> {
  await withGateRow(pool, restoreId, (tx) => tx.query(`${OPEN} and state = 'frozen'`, [restoreId]));
}

/** @throws GateBusyError when the row stays locked. */
async function withGateRow<T>(
  pool: Pool,
  restoreId: string,
  work: (tx: ClientBase) => Promise<T>,
): Promise<T> {
  try {
    return await inTransaction(pool, work, { lockTimeoutMs: ROW_LOCK_LIMIT_MS });
  } catch (error) {
    throw isLockFailure(error) ? new GateBusyError(restoreId, error) : error;
  }
}

const FREEZE = `
insert into chronawflow.gate as g (restore_id, tenant, state, frozen_at, until)
select $1, $2, 'frozen', now.at, now.at + $3::float8 * interval '1 millisecond' from (select clock_timestamp() as at) now
on conflict (restore_id) do update
set tenant = excluded.tenant, state = 'frozen', until = excluded.until,
    frozen_at = greatest(excluded.frozen_at, g.frozen_at + interval '1 microsecond')
where g.state = 'open' or g.until <= clock_timestamp()
returning ${iso('frozen_at')} as "frozenAt", ${iso('until')} as until`;

/** Writes the row of a new freeze; undefined when another session has frozen the tenant for the same restore meanwhile. */
export async function writeFrozenGate(
  tx: Pick<ClientBase, 'query'>,
  freeze: { readonly restoreId: string; readonly tenant: string; readonly untilMs: number },
): Promise<{ readonly frozenAt: string; readonly until: string } | undefined> {
  const { rows } = await tx.query<{ frozenAt: string; until: string }>(FREEZE, [
    freeze.restoreId,
    freeze.tenant,
    freeze.untilMs,
  ]);
  return rows[0];
}
