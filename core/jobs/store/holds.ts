import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { writeOutbox } from '../../audit';
import type { Act } from '../act';
import { jobEvent, PLATFORM_ACTOR } from '../job-event';
import type { Release } from '../release-allowance.pure';
import type { JobRef } from '../types';
import { forgetOutcomes } from './outcomes';

/**
 * A quarantine is about work that does harm, a pause about a tenant that wants none done, a containment (lease-hold.ts) keeps
 * others from harm; each may be lifted alone.
 */
export type HoldKind = 'quarantine' | 'pause' | 'containment';

/** Where a hold applies: an absent part stands for any; of one job all three parts are given. */
export interface HoldBoundary {
  readonly tenant?: string;
  readonly type?: string;
  readonly key?: string;
}

export interface Hold {
  readonly kind: HoldKind;
  /** Empty for any. */
  readonly tenant: string;
  readonly type: string;
  readonly key: string;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
  /** It ends by itself then. */
  readonly until?: string;
  /** It is being released: since when, and how many jobs per second. */
  readonly release?: { readonly since: string; readonly perSecond: number };
}

export interface NewHold extends Act {
  readonly kind: HoldKind;
  readonly reason: string;
  /** Milliseconds after which it ends by itself; default never. */
  readonly forMs?: number;
  /** Core types that it stops, for the audit log. */
  readonly stopsCore?: readonly string[];
}

/**
 * Part of a query about holds `h`: it keeps every job back at the moment. One that is being released does so between two of
 * its jobs.
 */
export const HOLDS_NOW = `(h.until is null or h.until > clock_timestamp())
  and (h.release_next is null or h.release_next > clock_timestamp())`;

/**
 * Holds back what waits and what comes; jobs that run go on. The first reason stays, and a release that is under way is
 * called off.
 *
 * @returns whether it is new
 */
export function hold(pool: Pool, at: HoldBoundary, given: NewHold): Promise<boolean> {
  return inTransaction(pool, (tx) => holdIn(tx, at, given));
}

export async function holdIn(
  tx: PoolClient,
  at: HoldBoundary,
  { kind, reason, by, authorize, forMs, stopsCore = [] }: NewHold,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into chronawflow.job_hold as h (tenant, type, key, kind, reason, held_by, until)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 millisecond')
     on conflict (tenant, type, key, kind) do update
     set reason = excluded.reason, held_by = excluded.held_by, until = excluded.until, since = clock_timestamp(),
         released_at = null, release_rate = null, release_next = null
     where h.release_next is not null or h.until <= clock_timestamp()`,
    [...parts(at), kind, reason, by, forMs ?? null],
  );
  if (rowCount !== 1) return false;
  await writeOutbox(tx, [jobEvent(`job.${kind}`, at, by, { reason, forMs, stopsCore })]);
  await authorize?.(tx);
  return true;
}

/** Holds one job back by a rule of the queue itself. */
export async function holdJob(tx: PoolClient, { tenant, type, key }: JobRef, reason: string): Promise<void> {
  await holdIn(tx, { tenant, type, key }, { kind: 'quarantine', reason, by: PLATFORM_ACTOR });
}

/**
 * Lets held work go on in its order, at once or at a rate. The rules of the quarantine look only at what comes from now on.
 *
 * @returns whether there was such a hold
 */
export function release(
  pool: Pool,
  at: HoldBoundary,
  { kind, by, authorize, perSecond }: Act & { readonly kind: HoldKind; readonly perSecond?: number },
): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } =
      perSecond === undefined
        ? await tx.query(
            'delete from chronawflow.job_hold where tenant = $1 and type = $2 and key = $3 and kind = $4',
            [...parts(at), kind],
          )
        : await tx.query(
            `update chronawflow.job_hold
             set released_at = clock_timestamp(), release_next = clock_timestamp(), release_rate = $5, until = null
             where tenant = $1 and type = $2 and key = $3 and kind = $4`,
            [...parts(at), kind, perSecond],
          );
    if (rowCount !== 1) return false;
    await forgetOutcomes(tx, at);
    await writeOutbox(tx, [jobEvent(LIFTED[kind], at, by, { perSecond })]);
    await authorize?.(tx);
    return true;
  });
}

const LIFTED = { quarantine: 'job.release', pause: 'job.resume', containment: 'job.release' } as const;

/** Takes away holds whose time is over, and releases whose last job has gone. @returns the former */
export async function sweepHolds(pool: Pool): Promise<Hold[]> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<Row>(
      `delete from chronawflow.job_hold h where until <= clock_timestamp() returning ${COLUMNS}`,
    );
    for (const row of rows) {
      await forgetOutcomes(tx, row);
      const at = { tenant: row.tenant || undefined, type: row.type || undefined };
      await writeOutbox(tx, [
        jobEvent(LIFTED[row.kind], at, PLATFORM_ACTOR, { reason: 'its time was over' }),
      ]);
    }
    await tx.query(
      `delete from chronawflow.job_hold h where released_at is not null and not exists (
         select from chronawflow.job j
         where j.state = 'waiting' and j.submitted_at <= h.released_at and j.run_at <= clock_timestamp()
           and h.tenant in ('', j.tenant) and h.type in ('', j.type) and h.key in ('', j.key))`,
    );
    return rows.map(holdOf);
  });
}

export async function readHolds(pool: Pool): Promise<Hold[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from chronawflow.job_hold h
     where until is null or until > clock_timestamp() order by since`,
  );
  return rows.map(holdOf);
}

/** Query for the releases that are under way, as they stand now. */
export const RELEASES = `select tenant, type, key, kind, release_rate::float8 as "perSecond",
    extract(epoch from clock_timestamp() - release_next)::float8 * 1000 as "dueMs"
  from chronawflow.job_hold where release_next is not null`;

/** Notes that a release's next job comes `inMs` from now. */
export async function delayRelease(
  tx: PoolClient,
  { tenant, type, key, kind }: Release,
  inMs: number,
): Promise<void> {
  await tx.query(
    `update chronawflow.job_hold set release_next = clock_timestamp() + $5 * interval '1 millisecond'
     where tenant = $1 and type = $2 and key = $3 and kind = $4`,
    [tenant, type, key, kind, inMs],
  );
}

interface Row {
  readonly kind: HoldKind;
  readonly tenant: string;
  readonly type: string;
  readonly key: string;
  readonly reason: string;
  readonly held_by: string;
  readonly since: string;
  readonly until: string | null;
  readonly released_at: string | null;
  readonly release_rate: number | null;
}

const COLUMNS =
  'h.kind, h.tenant, h.type, h.key, h.reason, h.held_by, h.since, h.until, h.released_at, h.release_rate';

function holdOf({ held_by: by, until, released_at: since, release_rate: perSecond, ...row }: Row): Hold {
  return {
    ...row,
    by,
    ...(until === null ? {} : { until }),
    ...(since === null || perSecond === null ? {} : { release: { since, perSecond } }),
  };
}

function parts({ tenant = '', type = '', key = '' }: HoldBoundary): [string, string, string] {
  return [tenant, type, key];
}
