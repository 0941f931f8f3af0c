import { millisecondsBetween, parseInstant } from '../target/instant.pure';
import { type Objectives, tierOf } from './tier-of.pure';

export interface ComplianceInput {
  readonly objectives: Objectives;
  /** Tenants to judge. */
  readonly tenants: readonly string[];
  /** By the application database's clock. */
  readonly now: string;
  /** Latest restorable commit of the cluster; absent when nothing can be restored. */
  readonly latestRestorable?: string;
  /** Nothing was committed since `latestRestorable`, so that nothing would be lost. */
  readonly idleSinceLatest?: boolean;
  /** The first commit that is not restorable, where it is known; else it is taken to follow the latest that is. */
  readonly firstAtRisk?: string;
  /** The last restores or drills, any tenant; `rtoMs` without the time spent waiting for people. */
  readonly restores: readonly {
    readonly tenant: string;
    readonly finishedAt: string;
    readonly rtoMs: number;
  }[];
}

export interface TierCompliance {
  readonly tier: string;
  readonly tenants: number;
  readonly rpoObjectiveMs: number;
  readonly rtoObjectiveMs: number;
  /** What would be lost now; absent when nothing can be restored at all. */
  readonly rpoMs?: number;
  readonly rpoMet: boolean;
  /** Slowest of each tenant's last restore; absent when no tenant of the tier was restored yet. */
  readonly rtoMs?: number;
  /** undefined: never shown. A tier without a restore neither meets nor breaks its objective. */
  readonly rtoMet?: boolean;
}

export interface ComplianceReport {
  /** By the application database's clock. */
  readonly checkedAt: string;
  readonly tiers: readonly TierCompliance[];
  readonly breaches: readonly {
    readonly tier: string;
    readonly objective: 'rpo' | 'rto';
    readonly message: string;
  }[];
  /** Tenants that no tier is configured for. */
  readonly withoutTier: readonly string[];
  readonly compliant: boolean;
}

/** Judges every tier: what would be lost if the cluster were lost now, and how long the last restores took. */
export function validateRPORTOCompliance(input: ComplianceInput): ComplianceReport {
  const byTier = new Map<string, string[]>();
  const withoutTier: string[] = [];
  for (const tenant of input.tenants) {
    const tier = tierOf(input.objectives, tenant);
    if (tier === undefined) withoutTier.push(tenant);
    else if (!byTier.get(tier.name)?.push(tenant)) byTier.set(tier.name, [tenant]);
  }
  const rpoMs = atRisk(input);
  const tiers = [...byTier].map(([name, tenants]) => judge(input, name, tenants, rpoMs));
  const breaches = tiers.flatMap(breachesOf);
  return { checkedAt: input.now, tiers, breaches, withoutTier, compliant: breaches.length === 0 };
}

function judge(
  { objectives, restores }: ComplianceInput,
  name: string,
  tenants: readonly string[],
  rpoMs: number | undefined,
): TierCompliance {
  const objective = objectives.tiers[name] ?? { rpo: 0, rto: 0 };
  const last = tenants
    .map((tenant) => lastOf(restores.filter((restore) => restore.tenant === tenant)))
    .filter((restore) => restore !== undefined);
  const rtoMs = last.length === 0 ? undefined : Math.max(...last.map((restore) => restore.rtoMs));
  return {
    tier: name,
    tenants: tenants.length,
    rpoObjectiveMs: objective.rpo,
    rtoObjectiveMs: objective.rto,
    ...(rpoMs === undefined ? {} : { rpoMs }),
    rpoMet: rpoMs !== undefined && rpoMs <= objective.rpo,
    ...(rtoMs === undefined ? {} : { rtoMs, rtoMet: rtoMs <= objective.rto }),
  };
}

function lastOf(restores: ComplianceInput['restores']): ComplianceInput['restores'][number] | undefined {
  return restores.reduce<ComplianceInput['restores'][number] | undefined>(
    (latest, one) => (latest === undefined || one.finishedAt > latest.finishedAt ? one : latest),
    undefined,
  );
}

function atRisk({
  now,
  latestRestorable,
  idleSinceLatest,
  firstAtRisk,
}: ComplianceInput): number | undefined {
  if (latestRestorable === undefined) return undefined;
  if (idleSinceLatest) return 0;
  const [from, to] = [parseInstant(firstAtRisk ?? latestRestorable), parseInstant(now)];
  if (from === undefined || to === undefined)
    throw new RangeError(`'${latestRestorable}' or '${now}' is no instant`);
  return Math.max(0, millisecondsBetween(from, to));
}

function breachesOf(tier: TierCompliance): ComplianceReport['breaches'][number][] {
  const breaches: ComplianceReport['breaches'][number][] = [];
  if (!tier.rpoMet) {
    const state = tier.rpoMs === undefined ? 'nothing can be restored' : `${tier.rpoMs} ms would be lost`;
    breaches.push({
      tier: tier.tier,
      objective: 'rpo',
      message: `${state}, allowed are ${tier.rpoObjectiveMs} ms`,
    });
  }
  if (tier.rtoMet === false) {
    breaches.push({
      tier: tier.tier,
      objective: 'rto',
      message: `the slowest last restore took ${tier.rtoMs} ms, allowed are ${tier.rtoObjectiveMs} ms`,
    });
  }
  return breaches;
}
