import { z } from 'zod';
import { InvalidInputError } from '../errors';
import { signedIntentSchema } from '../operators';
import { mappingsOnce } from './diff/mapping.pure';
import type { ConflictKind, MappableKind } from './types';

/**
 * The inputs of the recovery workflows. Checked twice: by the client for a quick answer, and by the first activity,
 * because a workflow can be started from Temporal's own CLI as well.
 */

const text = z.string().trim().min(1).max(200);
const person = text.describe('who asks');
const reason = z.string().max(1_000).optional();
const approvals = z.union([z.literal(0), z.literal(1), z.literal(2)]).optional();
const freeze = z.enum(['before-preview', 'after-approval']).optional();

const conflictKinds = [
  'unique-taken',
  'referenced',
  'owner-changed',
  'parent-missing',
  'schema-changed',
  'constraint-violated',
  'changed-since',
] as const satisfies readonly ConflictKind[];

const mappableKinds = [
  'unique-taken',
  'parent-missing',
  'constraint-violated',
] as const satisfies readonly MappableKind[];

/** It stands in Temporal's history and in every preview. */
const mappingText = z.string().min(1).max(200);

const decisions = z
  .array(
    z.discriminatedUnion('decision', [
      z.strictObject({
        table: z.string().min(1),
        kind: z.enum(conflictKinds),
        decision: z.enum(['block', 'skip']),
      }),
      z.strictObject({
        table: z.string().min(1),
        kind: z.enum(mappableKinds),
        decision: z.literal('map'),
        column: z.string().min(1).max(63),
        rule: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('null') }),
          z.strictObject({ kind: z.enum(['prefix', 'suffix', 'value']), text: mappingText }),
        ]),
      }),
    ]),
  )
  .max(1_000)
  .refine(mappingsOnce, { message: 'a column is mapped once for each kind of conflict' })
  .optional();

export const tenantRestoreInput = z.strictObject({
  tenant: text,
  to: text,
  requestedBy: person,
  reason,
  modes: z
    .strictObject({
      create: z.boolean().optional(),
      update: z.boolean().optional(),
      delete: z.boolean().optional(),
    })
    .refine((m) => !(m.create === false && m.update === false && m.delete === false), {
      message: 'at least one of create, update and delete has to be on',
    })
    .optional(),
  freeze,
  approvals,
  allowEmpty: z.boolean().optional(),
  tenantDeleted: z.boolean().optional(),
  decisions,
  timeline: z.number().int().positive().optional(),
  intent: signedIntentSchema.optional(),
});

const restoreId = z.string().regex(/^r[0-9a-f]{12}$/, 'a restore ID is r and twelve hexadecimal digits');

export const releaseInput = z.strictObject({ restoreId, requestedBy: person, reason });

export const tenantUndoInput = z.strictObject({
  restoreId,
  tenant: text,
  requestedBy: person,
  reason,
  freeze,
  approvals,
  decisions,
  intent: signedIntentSchema.optional(),
});

export const recoveryDrillInput = z.strictObject({
  tenant: text.optional(),
  to: text.default('5m ago'),
  requestedBy: person,
  reason,
});

export const recoveryPointInput = z.strictObject({
  kind: z.enum(['full', 'differential', 'incremental', 'named']),
  /** PostgreSQL keeps 63 bytes of a restore point's name. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$/, 'letters, digits and . _ : - (63 at most)')
    .optional(),
  requestedBy: person,
  reason,
});

export const clusterRestoreInput = z.strictObject({
  to: text,
  /** Directory for the new cluster on the worker's host; must not exist or be empty. */
  into: z.string().startsWith('/', 'an absolute path on the host of the worker'),
  promote: z.boolean().optional(),
  requestedBy: person,
  reason,
  timeline: z.number().int().positive().optional(),
  intent: signedIntentSchema.optional(),
});

/** The parsed input, or an InvalidInputError that names every field that is wrong. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || 'input'}: ${issue.message}`,
  );
  throw new InvalidInputError(`The input of ${what} is not valid: ${problems.join('; ')}.`, {
    hint: 'Correct the fields named and start it again; nothing was done.',
    details: { problems },
  });
}
