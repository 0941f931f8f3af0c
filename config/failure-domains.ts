import { z } from 'zod';
import { dependencyCycle } from './dependency-cycle';

const name = z.string().min(1).max(200);

/**
 * What a part cannot do without (`hard`), or does less without (`soft`). Of several that stand in for each other so many
 * (`atLeast`) have to be up.
 */
const need = z.union([
  name.transform((on) => ({ of: [on], atLeast: 1, strength: 'hard' as const })),
  z
    .strictObject({ on: name, strength: z.enum(['hard', 'soft']).default('hard') })
    .transform(({ on, strength }) => ({ of: [on], atLeast: 1, strength })),
  z
    .strictObject({
      of: z.array(name).min(1),
      atLeast: z.number().int().min(1).default(1),
      strength: z.enum(['hard', 'soft']).default('hard'),
    })
    .refine((group) => group.atLeast <= group.of.length, {
      path: ['atLeast'],
      message: 'is more than there are in `of`',
    })
    .refine((group) => new Set(group.of).size === group.of.length, {
      path: ['of'],
      message: 'names the same part twice',
    }),
]);

const node = z.strictObject({
  kind: z.enum(['tenant', 'service', 'database', 'queue', 'cache', 'external']),
  needs: z.array(need).default([]),
  /** Weight of the traffic that comes in here, relative to the others'. Give it where traffic enters, or it counts twice. */
  traffic: z.number().min(0).max(1e12).default(0),
  /** How many tenants the node stands for. */
  count: z.number().int().min(1).max(1e9).default(1),
});

/** Section `failureDomains`: what depends on what. */
export const failureDomainsConfig = z
  .strictObject({
    nodes: z.record(name, node).default({}),
    /** Whether what the platform knows by itself is added: its databases, jobs, breakers, limited resources. */
    discover: z.boolean().default(true),
  })
  .superRefine(({ nodes }, ctx) => {
    const refuse = (path: readonly (string | number)[], message: string) =>
      ctx.addIssue({ code: 'custom', path: ['nodes', ...path], message });
    const known = new Set(Object.keys(nodes));
    let complete = true;
    for (const [one, { needs }] of Object.entries(nodes)) {
      for (const [index, { of }] of needs.entries()) {
        for (const other of of) {
          if (known.has(other)) continue;
          complete = false;
          refuse([one, 'needs', index], `there is no '${other}' under failureDomains.nodes`);
        }
      }
    }
    if (!complete) return;
    const cycle = dependencyCycle(nodes);
    if (cycle !== undefined)
      refuse(
        [cycle[0] ?? '', 'needs'],
        `needs itself: ${cycle.join(' → ')}; say which of these is soft, or what stands in for it`,
      );
  });
