import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import { jobEvent, PLATFORM_ACTOR } from '../job-event';
import type { JobRef } from '../types';
import type { LimitRow } from './claim-jobs';

/** Where a limit applies; an absent part stands for any. */
export interface Boundary {
  readonly tenant?: string;
  readonly type?: string;
}

/** Where a hold applies: it may be one job's, then all three parts are given. */
export interface HoldBoundary extends Boundary {
  readonly key?: string;
}

export interface Limit {
  readonly inFlight?: number;
  readonly backlog?: number;
  /** Share of the slots relative to other tenants', whose weight is 1. */
  readonly weight?: number;
}

/** Sets limits that go before the configuration's, from the next claim on; those that are absent stay as they are. */
export function setLimit(pool: Pool, at: Boundary, limit: Limit, by: string): Promise<void> {
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
  });
}

export async function readLimits(pool: Pool): Promise<LimitRow[]> {
  const { rows } = await pool.query<LimitRow>(
    'select tenant, type, in_flight, backlog, weight from chronawflow.job_limit order by tenant, type',
  );
  return rows;
}

export interface Hold {
  readonly tenant: string;
  readonly type: string;
  readonly key: string;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
}

/** Holds back what waits and what comes; jobs that run go on. The first reason stays. @returns whether it is new */
export function hold(pool: Pool, at: HoldBoundary, reason: string, by: string): Promise<boolean> {
  return inTransaction(pool, (tx) => holdIn(tx, at, reason, by));
}

/** Holds one job back by a rule of the queue itself. */
export async function holdJob(tx: PoolClient, ref: JobRef, reason: string): Promise<void> {
  await holdIn(tx, ref, reason, PLATFORM_ACTOR);
}

async function holdIn(tx: PoolClient, at: HoldBoundary, reason: string, by: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into chronawflow.job_hold (tenant, type, key, reason, held_by) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [at.tenant ?? '', at.type ?? '', at.key ?? '', reason, by],
  );
  if (rowCount === 1) await writeOutbox(tx, [jobEvent('job.quarantine', at, by, { reason })]);
  return rowCount === 1;
}

/** Lets held work go on, in its order. @returns whether there was such a hold */
export function release(pool: Pool, at: HoldBoundary, by: string): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      'delete from chronawflow.job_hold where tenant = $1 and type = $2 and key = $3',
      [at.tenant ?? '', at.type ?? '', at.key ?? ''],
    );
    if (rowCount === 1) await writeOutbox(tx, [jobEvent('job.release', at, by)]);
    return rowCount === 1;
  });
}

export async function readHolds(pool: Pool): Promise<Hold[]> {
  const { rows } = await pool.query<Hold>(
    'select tenant, type, key, reason, held_by as by, since from chronawflow.job_hold order by since',
  );
  return rows;
}
