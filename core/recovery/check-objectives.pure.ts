import type { ObjectiveCheck } from './types';

/** The part of the configuration that says what each tenant was promised; durations in milliseconds. */
export interface Objectives {
  readonly tiers: Readonly<Record<string, { readonly rpo: number; readonly rto: number }>>;
  readonly tenants: Readonly<Record<string, string>>;
  readonly defaultTier?: string;
}

/** One restore held against its tenant's tier; undefined when the tenant has none. A figure equal to its limit meets it. */
export function checkObjectives(
  objectives: Objectives,
  tenant: string,
  measured: { readonly rpoMs: number; readonly rtoMs: number },
): ObjectiveCheck | undefined {
  const tier = Object.hasOwn(objectives.tenants, tenant)
    ? objectives.tenants[tenant]
    : objectives.defaultTier;
  if (tier === undefined || !Object.hasOwn(objectives.tiers, tier)) return undefined;
  const objective = objectives.tiers[tier];
  if (objective === undefined) return undefined;
  return {
    tier,
    rpoObjectiveMs: objective.rpo,
    rtoObjectiveMs: objective.rto,
    rpoMs: measured.rpoMs,
    rtoMs: measured.rtoMs,
    rpoMet: measured.rpoMs <= objective.rpo,
    rtoMet: measured.rtoMs <= objective.rto,
  };
}
