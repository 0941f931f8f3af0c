import type { ClientBase, Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../database';
import { LogDamagedError, recordAuditEvent, rootOfTile, TILE_WIDTH } from '../audit';
import { LegalHoldError } from '../erasure';
import { hasCode } from '../errors';
import { heldBy } from './decide-retention';
import type { Dropped, Retention } from './types';

/** Bundles in one transaction: a hold waits for it, and a process that dies does it again. */
const BUNDLES = 16;

/** What a transaction has done; `over` when there is nothing left. */
interface Step {
  readonly entries: number;
  readonly personal: number;
  readonly over: boolean;
}

/**
 * Drops what was decided, from where an earlier call has ended.
 *
 * @param retainer the role that may; it cannot decide
 * @throws LegalHoldError when one was placed meanwhile, LogDamagedError when the entries are not those that were sealed
 */
export async function dropLog(retainer: Pool, retention: Retention, by: string): Promise<Dropped> {
  let [entries, personal] = [0, 0];
  for (let over = false; !over; ) {
    const step = await inTransaction(retainer, async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.auditRetention]);
      const held = await heldBy(tx, retention.tenant);
      if (held !== undefined) throw new LegalHoldError(held.hold, 'dropped');
      return next(tx, retention, by);
    });
    entries += step.entries;
    personal += step.personal;
    over = step.over;
  }
  return { ...retention, entries, personal };
}

async function next(tx: ClientBase, retention: Retention, by: string): Promise<Step> {
  const { log, minimumIndex, personalBefore, eventId, tenant, origin } = retention;
  const { rows } = await tx.query<{ bundle: string }>(
    'select coalesce(max(index) + 1, 0) as bundle from chronawflow.audit_dropped where log = $1',
    [log],
  );
  const first = Number(rows[0]?.bundle);
  const end = Math.min(first + BUNDLES, minimumIndex / TILE_WIDTH);
  if (first < end) {
    await keepHashes(tx, retention, first, end);
    const range = [log, first * TILE_WIDTH, end * TILE_WIDTH];
    const personal = await dropPersonal(tx, range);
    await tx.query(
      `delete from chronawflow.audit_event e using chronawflow.audit_bundle b cross join unnest(b.event_ids) n (event_id)
        where b.log = $1 and b.first >= $2 and b.first < $3 and e.id = n.event_id`,
      range,
    );
    await tx.query(
      'delete from chronawflow.audit_bundle where log = $1 and first >= $2 and first < $3',
      range,
    );
    return { entries: (end - first) * TILE_WIDTH, personal, over: false };
  }
  const personal = await dropPersonal(tx, [log, minimumIndex, personalBefore]);
  await recordAuditEvent(tx, {
    id: doneId(eventId),
    ...{ actor: by, action: 'audit.retained', object: origin, outcome: 'ok' },
    ...(tenant === null ? {} : { tenant }),
    details: { minimumIndex, personalBefore },
  });
  return { entries: 0, personal, over: true };
}

/** Invariant 2. */
async function keepHashes(
  tx: ClientBase,
  { log, origin }: Retention,
  first: number,
  end: number,
): Promise<void> {
  const damaged = () =>
    new LogDamagedError(
      origin,
      `entries ${first * TILE_WIDTH} to ${end * TILE_WIDTH - 1} are not those that were sealed, and none was dropped`,
    );
  try {
    const { rows } = await tx.query<{ hashes: Buffer; sealed: Buffer | null }>(
      `with kept as (
         insert into chronawflow.audit_dropped (log, index, hashes)
         select log, first / 256, string_agg(chronawflow.leaf_hashes(entries), ''::bytea order by first)
           from chronawflow.audit_bundle where log = $1 and first >= $2 * 256 and first < $3 * 256 group by log, first / 256
         returning log, index, hashes)
       select k.hashes, s.hash as sealed from kept k
         left join chronawflow.audit_subtree s on s.log = k.log and s.level = 1 and s.index = k.index`,
      [log, first, end],
    );
    const same = rows.every(({ hashes, sealed }) => sealed !== null && rootOfTile(hashes).equals(sealed));
    if (rows.length !== end - first || !same) throw damaged();
  } catch (error) {
    // check_violation: a bundle that has not all its entries.
    throw hasCode(error, '23514') ? damaged() : error;
  }
}

async function dropPersonal(tx: ClientBase, range: readonly number[]): Promise<number> {
  const { rowCount } = await tx.query(
    `delete from chronawflow.audit_personal p using chronawflow.audit_bundle b cross join unnest(b.event_ids) with ordinality n (event_id, n)
      where b.log = $1 and b.first >= $2 and b.first < $3 and b.first + n.n - 1 < $3 and p.event_id = n.event_id`,
    [...range],
  );
  return rowCount ?? 0;
}

/** Of the event that a retention has ended; it follows from the decision's, so that it is there once. */
export function doneId(eventId: string): string {
  return `${eventId}/done`;
}
