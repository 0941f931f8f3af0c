import { allowanceOf, concerns, type Release } from './release-allowance.pure';
import type { JobRef } from './types';

/** A job that waits and may run now, but for caps and shares. */
export interface Candidate extends JobRef {
  readonly priority: number;
  readonly waitedMs: number;
  /** Order of arrival. */
  readonly seq: number;
  /** It has to run alone. */
  readonly suspect: boolean;
}

/** How many jobs of a tenant and type are in flight. */
export interface InFlight {
  readonly tenant: string;
  readonly type: string;
  readonly count: number;
}

/** How many jobs may be picked. */
export interface Room {
  readonly jobs: number;
  /** Of them suspects. Default any number. */
  readonly suspects?: number;
  /** Of them such as a release concerns. */
  readonly releases?: readonly Release[];
}

export interface Shares {
  /** Most in flight; Infinity for no cap. */
  tenantCap(tenant: string): number;
  typeCap(type: string): number;
  tenantTypeCap(tenant: string, type: string): number;
  /** A tenant of weight 2 gets twice the slots of one with 1. */
  weight(tenant: string): number;
  /** A waiting job rises one level per this many milliseconds. */
  readonly ageingMs: number;
}

/** Waiting never lifts a job above this level (README.md, invariant 6). */
const CEILING = 2;

/** The level that counts for a job that has waited this long. */
export function agedLevel(priority: number, waitedMs: number, ageingMs: number): number {
  const risen = Math.floor(Math.max(0, waitedMs) / ageingMs);
  return Math.min(priority, Math.max(CEILING, priority - risen));
}

/**
 * The next jobs to hand over, as many as there is room for: always one of the tenant with the fewest in flight for its weight, of its
 * jobs the most urgent and oldest that no cap holds back. Between tenants with equal shares the more urgent, then the
 * older job decides.
 */
export function pickFairly<C extends Candidate>(
  candidates: readonly C[],
  inFlight: readonly InFlight[],
  shares: Shares,
  room: Room,
): C[] {
  const load = new Load(inFlight, room);
  const queues = queuesOf(candidates, shares.ageingMs);
  const picked: C[] = [];
  while (picked.length < room.jobs) {
    let best: { readonly queue: Queue<C>; readonly head: Ranked<C> } | undefined;
    for (const [tenant, queue] of queues) {
      const head = nextOf(queue, load, shares);
      if (head === undefined) queues.delete(tenant);
      else if (best === undefined || comesFirst(head, best.head, load, shares)) best = { queue, head };
    }
    if (best === undefined) break;
    best.queue.at += 1;
    load.pick(best.head.job);
    picked.push(best.head.job);
  }
  return picked;
}

interface Ranked<C> {
  readonly job: C;
  readonly level: number;
}

interface Queue<C> {
  readonly jobs: readonly Ranked<C>[];
  at: number;
}

function queuesOf<C extends Candidate>(candidates: readonly C[], ageingMs: number): Map<string, Queue<C>> {
  const byTenant = new Map<string, Ranked<C>[]>();
  for (const job of candidates) {
    const ranked = { job, level: agedLevel(job.priority, job.waitedMs, ageingMs) };
    const queue = byTenant.get(job.tenant);
    if (queue === undefined) byTenant.set(job.tenant, [ranked]);
    else queue.push(ranked);
  }
  return new Map(
    [...byTenant].map(([tenant, jobs]) => [tenant, { jobs: jobs.sort(byUrgency), at: 0 }] as const),
  );
}

function byUrgency<C extends Candidate>(a: Ranked<C>, b: Ranked<C>): number {
  return a.level - b.level || b.job.waitedMs - a.job.waitedMs || a.job.seq - b.job.seq;
}

/** The tenant's next job; those that a cap holds back are passed over, for caps only fill up meanwhile. */
function nextOf<C extends Candidate>(queue: Queue<C>, load: Load, shares: Shares): Ranked<C> | undefined {
  for (; queue.at < queue.jobs.length; queue.at += 1) {
    const head = queue.jobs[queue.at];
    if (head === undefined) return undefined;
    const { tenant, type } = head.job;
    if (load.ofTenant(tenant) >= shares.tenantCap(tenant)) return undefined;
    const capped =
      !load.admits(head.job) ||
      load.ofType(type) >= shares.typeCap(type) ||
      load.ofTenantType(tenant, type) >= shares.tenantTypeCap(tenant, type);
    if (!capped) return head;
  }
  return undefined;
}

function comesFirst<C extends Candidate>(a: Ranked<C>, b: Ranked<C>, load: Load, shares: Shares): boolean {
  const share = ({ job: { tenant } }: Ranked<C>) => load.ofTenant(tenant) / shares.weight(tenant);
  return (share(a) - share(b) || byUrgency(a, b)) < 0;
}

/** Jobs in flight, counted in the three ways that caps are set, and what else bounds a pick. */
class Load {
  private readonly counts = new Map<string, number>();

  private suspects: number;
  private readonly releases: { readonly of: Release; left: number }[];

  constructor(inFlight: readonly InFlight[], { suspects, releases }: Room) {
    this.suspects = suspects ?? Number.POSITIVE_INFINITY;
    this.releases = (releases ?? []).map((of) => ({ of, left: allowanceOf(of) }));
    for (const { count, ...job } of inFlight) this.add(job, count);
  }

  /** Whether there is a process for it where it has to be alone, and its turn where it is being released. */
  admits(job: Candidate): boolean {
    if (job.suspect && this.suspects <= 0) return false;
    return this.releases.every(({ of, left }) => left > 0 || !concerns(of, job));
  }

  pick(job: Candidate): void {
    this.add(job, 1);
    if (job.suspect) this.suspects -= 1;
    for (const release of this.releases) if (concerns(release.of, job)) release.left -= 1;
  }

  private add({ tenant, type }: { readonly tenant: string; readonly type: string }, count: number): void {
    for (const key of [`t ${tenant}`, `y ${type}`, pairKey(tenant, type)]) {
      this.counts.set(key, (this.counts.get(key) ?? 0) + count);
    }
  }

  ofTenant(tenant: string): number {
    return this.counts.get(`t ${tenant}`) ?? 0;
  }

  ofType(type: string): number {
    return this.counts.get(`y ${type}`) ?? 0;
  }

  ofTenantType(tenant: string, type: string): number {
    return this.counts.get(pairKey(tenant, type)) ?? 0;
  }
}

function pairKey(tenant: string, type: string): string {
  return `p ${JSON.stringify([tenant, type])}`;
}
