import { z } from 'zod';
import { InvalidInputError } from '../errors';
import { signedIntentSchema } from '../operators';
import type { ContainmentInput } from './types';

const tenant = z.string().min(1).max(200);
const name = z.string().min(1).max(100);

const target = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('isolate-tenant'), tenant }),
  z.strictObject({ strategy: z.literal('read-only'), tenant }),
  z.strictObject({
    strategy: z.literal('open-breaker'),
    service: name,
    operation: name,
    tenant: z.string().max(200),
  }),
  z
    .strictObject({
      strategy: z.literal('drain-endpoint'),
      service: name,
      endpoint: z.string().min(1).max(500),
      redirect: z.string().min(1).max(500).optional(),
    })
    .refine((drain) => drain.redirect !== drain.endpoint, {
      path: ['redirect'],
      message: 'is the endpoint that is drained',
    }),
  z
    .strictObject({ strategy: z.literal('hold-queue'), tenant: tenant.optional(), type: name.optional() })
    .refine((hold) => hold.tenant !== undefined || hold.type !== undefined, {
      message: 'name the tenant, the type or both',
    }),
]);

const input = z.strictObject({
  target,
  forMs: z.number().int().min(1_000).optional(),
  reason: z.string().min(1).max(1_000),
  requestedBy: z.string().min(1).max(200),
  automatic: z.boolean().optional(),
  intent: signedIntentSchema.optional(),
});

/** Checks what starts a containment, at both ends. @throws InvalidInputError */
export function parseContainmentInput(value: unknown, longestMs: number): ContainmentInput {
  const parsed = input.safeParse(value);
  if (!parsed.success)
    throw new InvalidInputError(`This is no containment: ${z.prettifyError(parsed.error)}`, {
      hint: 'Start one with `chronawflow contain tenant|breaker|queue`.',
    });
  const { forMs = 0 } = parsed.data;
  if (forMs > longestMs)
    throw new InvalidInputError(`A containment lasts at most ${longestMs} ms (\`containment.longest\`).`, {
      hint: 'Ask for less; it can be started again.',
      details: { forMs, longestMs },
    });
  return parsed.data;
}
