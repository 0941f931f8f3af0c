import type { z } from 'zod';

interface Tiers {
  readonly objectives: { readonly tiers: Readonly<Record<string, unknown>> };
  readonly degradation?: { readonly tiers: readonly string[] };
}

/** A tier has a level of its own only where tenants can be of it: under `objectives.tiers`. */
export function checkTiers({ objectives, degradation }: Tiers, ctx: z.RefinementCtx): void {
  const known = Object.keys(objectives.tiers);
  for (const [at, tier] of (degradation?.tiers ?? []).entries()) {
    if (known.includes(tier)) continue;
    ctx.addIssue({
      code: 'custom',
      path: ['degradation', 'tiers', at],
      message: `there is no tier '${tier}' under objectives.tiers${known.length === 0 ? '' : `; there are ${known.join(', ')}`}`,
    });
  }
}
