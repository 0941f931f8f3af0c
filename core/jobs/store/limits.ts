import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import type { Act } from '../act';
import { jobEvent } from '../job-event';
import type { LimitRow } from './queue-state';

/** Where a limit applies; an absent part stands for any. */
export interface Boundary {
  readonly tenant?: string;
  readonly type?: string;
}

export interface Limit {
  readonly inFlight?: number;
  readonly backlog?: number;
  /** Share of the slots relative to other tenants', whose weight is 1. */
  readonly weight?: number;
}

/** Sets limits that go before the configuration's, from the next claim on; those that are absent stay as they are. */
export function setLimit(pool: Pool, at: Boundary, limit: Limit, { by, authorize }: Act): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await tx.query(
      `insert into chronawflow.job_limit as l (tenant, type, in_flight, backlog, weight, set_by)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant, type) do update
       set in_flight = coalesce(excluded.in_flight, l.in_flight), backlog = coalesce(excluded.backlog, l.backlog),
           weight = coalesce(excluded.weight, l.weight), set_by = excluded.set_by, set_at = clock_timestamp()`,
      [
        at.tenant ?? '',
        at.type ?? '',
        limit.inFlight ?? null,
        limit.backlog ?? null,
        limit.weight ?? null,
        by,
      ],
    );
    await writeOutbox(tx, [jobEvent('job.limit', at, by, { ...limit })]);
    await authorize?.(tx);
  });
}

export async function readLimits(pool: Pool): Promise<LimitRow[]> {
  const { rows } = await pool.query<LimitRow>(
    'select tenant, type, in_flight, backlog, weight from chronawflow.job_limit order by tenant, type',
  );
  return rows;
}
