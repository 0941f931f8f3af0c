import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import { jobEvent } from '../job-event';
import type { HoldBoundary } from './holds';

export interface LeasedHold {
  readonly reason: string;
  /** Who holds: only the same may renew or end it. */
  readonly by: string;
  /** It ends by itself after so long, unless it is renewed. */
  readonly leaseMs: number;
  /** Core types that it stops, for the audit log. */
  readonly stopsCore: readonly string[];
}

/**
 * Holds jobs back for as long as the lease is renewed. It stands beside what people and rules hold, and changes nothing of it.
 *
 * @returns whether it is held now; false when another holder has it
 */
export function leaseHold(
  pool: Pool,
  at: HoldBoundary,
  { reason, by, leaseMs, stopsCore }: LeasedHold,
): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ fresh: boolean }>(
      `insert into chronawflow.job_hold as h (tenant, type, key, kind, reason, held_by, until)
       values ($1, $2, '', 'containment', $3, $4, clock_timestamp() + $5 * interval '1 millisecond')
       on conflict (tenant, type, key, kind) do update
       set until = excluded.until, reason = excluded.reason, held_by = excluded.held_by
       where h.held_by = excluded.held_by or h.until <= clock_timestamp()
       returning xmax = 0 as fresh`,
      [at.tenant ?? '', at.type ?? '', reason, by, leaseMs],
    );
    if (rows[0]?.fresh === true)
      await writeOutbox(tx, [jobEvent('job.containment', at, by, { reason, leaseMs, stopsCore })]);
    return rows.length === 1;
  });
}

/** @returns whether there was such a hold of this holder */
export function endLeasedHold(pool: Pool, at: HoldBoundary, by: string): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `delete from chronawflow.job_hold
       where tenant = $1 and type = $2 and key = '' and kind = 'containment' and held_by = $3`,
      [at.tenant ?? '', at.type ?? '', by],
    );
    if (rowCount === 1) await writeOutbox(tx, [jobEvent('job.release', at, by)]);
    return rowCount === 1;
  });
}
