/** How attempts of a tenant's type ended within the window. */
export interface Ends {
  readonly tenant: string;
  readonly type: string;
  readonly succeeded: number;
  readonly failed: number;
}

export interface FailureRule {
  /** From 0 to 1: held is what failed at least in this share. */
  readonly share: number;
  /** Fewer ends than this say nothing. */
  readonly minEnds: number;
}

/** Work that is to be held back. */
export interface Verdict {
  readonly tenant: string;
  /** Empty for all types of the tenant. */
  readonly type: string;
  readonly ends: number;
  readonly failed: number;
}

/**
 * What to quarantine: a tenant's type that fails; or the whole tenant, when its other types together fail as well. What
 * fails for the other tenants too has a common cause: holding back each of them would mend nothing and be much work to undo.
 */
export function judgeFailures(ends: readonly Ends[], rule: FailureRule): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [tenant, own] of groupBy(ends, (one) => one.tenant)) {
    const others = ends.filter((one) => one.tenant !== tenant);
    const bad = own.filter(
      (one) =>
        fails([one], rule) &&
        !fails(
          others.filter((other) => other.type === one.type),
          rule,
        ),
    );
    for (const one of bad) verdicts.push({ tenant, type: one.type, ...sum([one]) });
    const rest = own.filter((one) => !bad.includes(one));
    if (rest.length > 1 && fails(rest, rule) && !fails(others, rule))
      verdicts.push({ tenant, type: '', ...sum(rest) });
  }
  return verdicts;
}

function fails(ends: readonly Ends[], { share, minEnds }: FailureRule): boolean {
  const { ends: all, failed } = sum(ends);
  return all >= minEnds && all > 0 && failed / all >= share;
}

function sum(of: readonly Ends[]): { readonly ends: number; readonly failed: number } {
  const failed = of.reduce((total, one) => total + one.failed, 0);
  return { ends: failed + of.reduce((total, one) => total + one.succeeded, 0), failed };
}

function groupBy<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
