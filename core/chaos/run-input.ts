import { z } from 'zod';
import { InvalidInputError } from '../errors';
import { signedIntentSchema } from '../operators';
import type { ChaosRunInput } from './types';

/** More does not belong into a workflow's history. */
const MOST_CHARACTERS = 131_072;

const input = z.strictObject({
  experiment: z
    .record(z.string(), z.unknown())
    .refine(
      (document) => JSON.stringify(document).length <= MOST_CHARACTERS,
      `has more than ${MOST_CHARACTERS} characters`,
    ),
  requestedBy: z.string().min(1).max(200),
  reason: z.string().max(1_000).optional(),
  dryRun: z.boolean().optional(),
  confirmEachStep: z.boolean().optional(),
  seed: z.number().int().optional(),
  schedule: z
    .strictObject({
      name: z.string().min(1).max(200),
      cron: z.string().max(200).optional(),
      rate: z
        .strictObject({
          perHour: z.number(),
          hours: z.strictObject({ from: z.number(), to: z.number() }).optional(),
        })
        .optional(),
      blackout: z.array(z.string().max(10)).max(400).optional(),
      jitterMs: z.number().min(0).optional(),
    })
    .optional(),
  intent: signedIntentSchema.optional(),
  approvals: z.array(signedIntentSchema).max(20).optional(),
});

/** @throws InvalidInputError naming the field */
export function parseChaosInput(value: unknown): ChaosRunInput {
  const parsed = input.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  );
  throw new InvalidInputError(`The request for an experiment is wrong: ${problems.join('; ')}.`, {
    details: { problems },
  });
}
