/** Recovery point and recovery time objective of a tier, in milliseconds. */
export interface Objective {
  readonly rpo: number;
  readonly rto: number;
}

/** The configuration's `objectives`: tiers, and which tenant has which. */
export interface Objectives {
  readonly tiers: Readonly<Record<string, Objective>>;
  readonly tenants: Readonly<Record<string, string>>;
  readonly defaultTier?: string;
}

/** The tier of a tenant; undefined when it has none and there is no default. */
export function tierOf(
  objectives: Objectives,
  tenant: string,
): { name: string; objective: Objective } | undefined {
  const name = ownValue(objectives.tenants, tenant) ?? objectives.defaultTier;
  const objective = name === undefined ? undefined : ownValue(objectives.tiers, name);
  return name === undefined || objective === undefined ? undefined : { name, objective };
}

/** `constructor` and the like are tenants as well as any other name. */
function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
