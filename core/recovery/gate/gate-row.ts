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
  case when state = 'open' then 'open' when complete_at is null then 'arming'
    when until <= clock_timestamp() then 'expired' else 'frozen' end as kind,
  tenant, ${iso('frozen_at')} as "frozenAt", ${iso('until')} as until, until <= clock_timestamp() as past
from chronawflow.gate where restore_id = $1`;

/** The gate as it stands, by the database's clock. */
export async function gateState(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<GateState> {
  const { rows } = await tx.query<Exclude<GateState, { kind: 'absent' }>>(STATE, [restoreId]);
  return rows[0] ?? { kind: 'absent' };
}

const LOCK = 'select from chronawflow.gate where restore_id = $1 for update';

/**
 * Takes the gate row for the rest of the transaction and says what it holds. Only a look after the lock counts (invariant
 * 5): a writer that was let through by expiry keeps the row share-locked until its end, so we come after it, and see the
 * time at which it passed as past.
 */
export async function lockGate(tx: Pick<ClientBase, 'query'>, restoreId: string): Promise<GateState> {
  await tx.query(LOCK, [restoreId]);
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

const BEGIN = `
insert into chronawflow.gate as g (restore_id, tenant, state, frozen_at, until)
select $1, $2, 'frozen', now.at, now.at + $3::float8 * interval '1 millisecond' from (select clock_timestamp() as at) now
on conflict (restore_id) do update
set tenant = excluded.tenant, state = 'frozen', complete_at = null, until = excluded.until,
    frozen_at = case when g.state = 'frozen' and g.complete_at is null then g.frozen_at
      else greatest(excluded.frozen_at, g.frozen_at + interval '1 microsecond') end
where g.state = 'open' or g.complete_at is null or g.until <= clock_timestamp()
returning ${iso('frozen_at')} as "frozenAt"`;

/**
 * Writes the row of a new freeze, or takes up the one whose maker was interrupted. The row says frozen from here on, so each
 * table refuses the tenant as soon as it has its triggers.
 *
 * @returns the freeze's frozen_at; undefined when another session has completed a freeze for the same restore meanwhile.
 * @throws GateBusyError
 */
export async function beginFreeze(
  pool: Pool,
  freeze: { readonly restoreId: string; readonly tenant: string },
  leaseMs: number,
): Promise<string | undefined> {
  return withGateRow(pool, freeze.restoreId, async (tx) => {
    const { rows } = await tx.query<{ frozenAt: string }>(BEGIN, [freeze.restoreId, freeze.tenant, leaseMs]);
    return rows[0]?.frozenAt;
  });
}

const RENEW = `
update chronawflow.gate set until = clock_timestamp() + $3::float8 * interval '1 millisecond'
where restore_id = $1 and frozen_at = $2::timestamptz and state = 'frozen' and complete_at is null`;

/**
 * Takes the row of a freeze that is being made and renews its lease. Holding it keeps a second maker, and a sweep, away.
 *
 * @returns false when it is not this freeze any more, or complete.
 */
export async function renewArming(
  tx: Pick<ClientBase, 'query'>,
  restoreId: string,
  frozenAt: string,
  leaseMs: number,
): Promise<boolean> {
  await tx.query(LOCK, [restoreId]);
  return (await tx.query(RENEW, [restoreId, frozenAt, leaseMs])).rowCount === 1;
}

const COMPLETE = `
update chronawflow.gate set complete_at = clock_timestamp(), until = clock_timestamp() + $2::float8 * interval '1 millisecond'
where restore_id = $1`;

/** Marks the freeze as complete, in the transaction that has renewed it; its time limit counts from here. */
export async function completeFreeze(
  tx: Pick<ClientBase, 'query'>,
  restoreId: string,
  untilMs: number,
): Promise<void> {
  await tx.query(COMPLETE, [restoreId, untilMs]);
}
