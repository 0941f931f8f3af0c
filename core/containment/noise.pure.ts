/** What one tenant uses of what all tenants share. */
export interface TenantUse {
  readonly tenant: string;
  readonly value: number;
}

export type NoiseSignal = 'in-flight' | 'errors' | 'database-time';

/** By signal: every tenant's use at one look; undefined when the look at it failed. */
export type Uses = Readonly<Record<NoiseSignal, readonly TenantUse[] | undefined>>;

export interface NoiseRule {
  /** From this share of all tenants' use a tenant is noisy … */
  readonly share: number;
  /** … while the whole is at least so much. */
  readonly least: Readonly<Record<NoiseSignal, number>>;
  /** So many times in a row. */
  readonly looks: number;
  readonly except: readonly string[];
}

/** How often in a row each tenant was noisy by a signal. Key: signal, a slash, tenant. */
export type NoiseState = ReadonlyMap<string, number>;

export interface NoisyTenant {
  readonly tenant: string;
  readonly signal: NoiseSignal;
  readonly share: number;
}

const SIGNALS: readonly NoiseSignal[] = ['in-flight', 'errors', 'database-time'];

/**
 * One look: who has been noisy often enough in a row. A tenant that is alone is never noisy: there is nobody whom it takes
 * anything from. A signal that could not be read says nothing, neither for a tenant nor against it.
 */
export function judgeNoise(
  state: NoiseState,
  uses: Uses,
  rule: NoiseRule,
): readonly [NoiseState, readonly NoisyTenant[]] {
  const next = new Map<string, number>();
  const noisy = new Map<string, NoisyTenant>();
  for (const signal of SIGNALS) {
    const seen = uses[signal];
    if (seen === undefined) {
      for (const [key, times] of state) if (key.startsWith(`${signal}/`)) next.set(key, times);
      continue;
    }
    for (const { tenant, share } of loud(seen, rule.share, rule.least[signal])) {
      if (rule.except.includes(tenant)) continue;
      const times = (state.get(`${signal}/${tenant}`) ?? 0) + 1;
      next.set(`${signal}/${tenant}`, times);
      const known = noisy.get(tenant);
      if (times >= rule.looks && (known === undefined || share > known.share))
        noisy.set(tenant, { tenant, signal, share });
    }
  }
  // The loudest first: it is contained first, where not all may be.
  return [next, [...noisy.values()].sort((a, b) => b.share - a.share || (a.tenant < b.tenant ? -1 : 1))];
}

function loud(
  uses: readonly TenantUse[],
  share: number,
  least: number,
): readonly { readonly tenant: string; readonly share: number }[] {
  const busy = uses.filter(({ value }) => value > 0);
  const all = busy.reduce((sum, { value }) => sum + value, 0);
  if (busy.length < 2 || all < least) return [];
  return busy
    .map(({ tenant, value }) => ({ tenant, share: value / all }))
    .filter((one) => one.share >= share);
}
