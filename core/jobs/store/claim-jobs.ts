import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import { type Candidate, type InFlight, pickFairly, type Shares } from '../pick-fairly.pure';
import { concerns, nextInMs, type Release } from '../release-allowance.pure';
import { roomFor, roomForSuspects } from '../room.pure';
import type { JobRef } from '../types';
import { refColumns } from './columns.pure';
import { delayRelease, HOLDS_NOW } from './holds';
import { type Counted, type LimitRow, readQueueState } from './queue-state';

/** How long a handed job keeps its place until an attempt begins, at least and at most. */
const HANDED_MS = 30_000;
const HANDED_LIMIT_MS = 10 * 60_000;

/** Tenants that are looked at in one claim; the others come first in the next one. */
const TENANTS_AT_ONCE = 1_000;

export interface ClaimRequest {
  /** Most jobs handed over and not yet begun, in the whole deployment, whatever is free. */
  readonly handedLimit: number;
  /** For a consumer that takes jobs itself: how many, of which types, and whether it holds none. Default: what live workers have slots and code for. */
  readonly take?: { readonly atMost: number; readonly types: readonly string[]; readonly idle: boolean };
  /** Priorities that wait for now, and the types to which that does not apply because they are core. */
  readonly held?: { readonly priorities: readonly number[]; readonly except: readonly string[] };
  /** What caps and weights are, given the limits that the database holds. */
  shares(limits: readonly LimitRow[]): Shares;
}

export interface ClaimedJob extends JobRef {
  readonly priority: number;
  /** A workflow waits for it and is woken; otherwise one is started. */
  readonly started: boolean;
  readonly weight: number;
}

/**
 * Reserves permits for the next jobs, fairly and under every cap. One claim at a time in the whole deployment; a caller
 * that finds another one at it gets nothing.
 */
export async function claimJobs(pool: Pool, request: ClaimRequest): Promise<ClaimedJob[]> {
  const { waits, lapsed } = await glance(pool);
  if (!waits && !lapsed) return [];
  return inTransaction(pool, async (tx) => {
    // In a statement of its own: the counts below need a snapshot from after the last claim's commit.
    const lock = await tx.query<{ taken: boolean }>('select pg_try_advisory_xact_lock($1) as taken', [
      ADVISORY_LOCKS.jobClaim,
    ]);
    if (!lock.rows[0]?.taken) return [];
    if (lapsed) await takeBackLapsed(tx);
    const { counts, workers, limits, releases } = await readQueueState(tx);
    const sum = (of: (row: Counted) => number) => counts.reduce((total, row) => total + of(row), 0);
    const room =
      request.take?.atMost ??
      roomFor({
        slots: workers.reduce((slots, worker) => slots + worker.slots, 0),
        handed: sum((row) => row.handed),
        inFlight: sum((row) => row.count),
        handedLimit: request.handedLimit,
      });
    if (room <= 0) return [];
    const types = request.take?.types ?? [...new Set(workers.flatMap((worker) => worker.types))];
    const shares = request.shares(limits);
    const roomAlone =
      request.take === undefined
        ? roomForSuspects(
            workers.length,
            sum((row) => row.suspects),
          )
        : 1;
    const waiting = await candidates(tx, counts, { shares, room, roomAlone, types, held: request.held });
    const all = pickFairly(waiting, counts, shares, { jobs: room, suspects: roomAlone, releases });
    const picked = request.take === undefined ? all : oneConsumers(all, request.take.idle);
    if (picked.length === 0) return [];
    await countReleased(tx, releases, picked);
    const { rows } = await tx.query<Omit<ClaimedJob, 'weight'>>(HAND_OVER, [
      ...refColumns(picked),
      picked.map((job) => job.suspect),
      HANDED_MS,
      HANDED_LIMIT_MS,
    ]);
    return rows.map((row) => ({ ...row, weight: shares.weight(row.tenant) }));
  });
}

/** A consumer runs a suspect alone, and takes nothing more until it can. */
function oneConsumers(picked: readonly Candidate[], idle: boolean): readonly Candidate[] {
  const suspect = picked.find((job) => job.suspect);
  if (suspect === undefined) return picked;
  return idle ? [suspect] : [];
}

/** Jobs that came back make the next one of their release wait. */
async function countReleased(
  tx: PoolClient,
  releases: readonly Release[],
  picked: readonly Candidate[],
): Promise<void> {
  for (const release of releases) {
    const taken = picked.filter((job) => concerns(release, job)).length;
    if (taken > 0) await delayRelease(tx, release, nextInMs(release, taken));
  }
}

/** The cheap look of an idle worker: whether jobs wait, and whether some were handed over in vain. */
async function glance(pool: Pool): Promise<{ readonly waits: boolean; readonly lapsed: boolean }> {
  const { rows } = await pool.query<{ waits: boolean; lapsed: boolean }>(
    `select exists (select from chronawflow.job where state = 'waiting') as waits,
       exists (select from chronawflow.job where state = 'handed' and lease_until <= clock_timestamp()) as lapsed`,
  );
  return rows[0] ?? { waits: false, lapsed: false };
}

/** Handed over, but no attempt began: whoever handed it over died on the way, or no worker takes it. */
async function takeBackLapsed(tx: PoolClient): Promise<void> {
  await tx.query(
    `update chronawflow.job set state = 'waiting', lease_until = null
     where state = 'handed' and lease_until <= clock_timestamp()`,
  );
}

/**
 * The most urgent waiting jobs of every tenant, as many as could be picked. Tenants by a loose index scan; levels one by
 * one, because within a level the oldest comes first whatever the ageing. A job is a suspect while the process that its last
 * attempt was lost with was not seen again; without room for one, suspects keep nobody else out.
 */
const CANDIDATES = `with recursive tenants (tenant) as (
    (select tenant from chronawflow.job where state = 'waiting' order by tenant limit 1)
    union all
    select (select j.tenant from chronawflow.job j where j.state = 'waiting' and j.tenant > t.tenant
            order by j.tenant limit 1)
    from tenants t where t.tenant is not null
  ), open as (
    select tenant from tenants t
    where tenant is not null and tenant <> all ($2::text[])
      and not exists (select from chronawflow.job_hold h
                      where h.tenant in ('', t.tenant) and h.type = '' and ${HOLDS_NOW})
      and not exists (select from chronawflow.gate g where g.tenant = t.tenant and g.state = 'frozen'
                        and g.until > clock_timestamp())
    order by random() limit ${TENANTS_AT_ONCE}
  )
  select j.* from open o
  cross join generate_series(1, 5) level
  cross join lateral (
    select tenant, type, key, priority::integer, seq::float8,
      extract(epoch from clock_timestamp() - run_at)::float8 * 1000 as "waitedMs", suspect
    from chronawflow.job j
    cross join lateral (select j.lost_with is not null and not exists (
      select from chronawflow.job_worker w where w.id = j.lost_with and w.seen_at > j.lost_at) as suspect) past
    where state = 'waiting' and tenant = o.tenant and priority = level and run_at <= clock_timestamp()
      and type <> all ($3::text[]) and type = any ($6::text[])
      and not exists (select from unnest($4::text[], $5::text[]) full_pair (tenant, type)
                      where full_pair.tenant = j.tenant and full_pair.type = j.type)
      and not exists (select from chronawflow.job_hold h
                      where h.tenant in ('', j.tenant) and h.type = j.type and h.key in ('', j.key)
                        and ${HOLDS_NOW})
      and ($7 or not suspect)
      and (level <> all ($8::integer[]) or type = any ($9::text[]))
    order by run_at, seq limit $1) j`;

async function candidates(
  tx: PoolClient,
  counts: readonly InFlight[],
  {
    shares,
    room,
    roomAlone,
    types,
    held,
  }: {
    readonly shares: Shares;
    readonly room: number;
    readonly roomAlone: number;
    readonly types: readonly string[];
    readonly held: ClaimRequest['held'];
  },
): Promise<Candidate[]> {
  const tenants = totals(counts, (row) => row.tenant);
  const byType = totals(counts, (row) => row.type);
  const pairs = counts.filter((row) => row.count >= shares.tenantTypeCap(row.tenant, row.type));
  const { rows } = await tx.query<Candidate>(CANDIDATES, [
    room,
    [...tenants].filter(([tenant, count]) => count >= shares.tenantCap(tenant)).map(([tenant]) => tenant),
    [...byType].filter(([type, count]) => count >= shares.typeCap(type)).map(([type]) => type),
    pairs.map((row) => row.tenant),
    pairs.map((row) => row.type),
    types,
    roomAlone > 0,
    held?.priorities ?? [],
    held?.except ?? [],
  ]);
  return rows;
}

function totals(counts: readonly InFlight[], of: (row: InFlight) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of counts) sums.set(of(row), (sums.get(of(row)) ?? 0) + row.count);
  return sums;
}

/**
 * The place is kept the longer, the longer the job has waited: it may be that no worker runs at all. Whose lost attempt's
 * process lives is above suspicion, and that attempt counts.
 */
const HAND_OVER = `update chronawflow.job j
  set state = 'handed', waits_for = null,
      lease_until = clock_timestamp() + least($6, greatest($5, 1000 * extract(epoch from clock_timestamp() - run_at)))
                    * interval '1 millisecond',
      attempts = j.attempts + (j.lost_with is not null and not suspect)::integer,
      lost_with = case when suspect then j.lost_with end,
      lost_alone = case when suspect then j.lost_alone else 0 end
  from unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) as picked (tenant, type, key, suspect)
  where j.tenant = picked.tenant and j.type = picked.type and j.key = picked.key and j.state = 'waiting'
  returning j.tenant, j.type, j.key, j.priority::integer, j.started`;
