import { z } from 'zod';
import { duration } from './duration';

/** Which rows are about a person, and what becomes of them: docs/compliance/erasure.md. */
export const erasureConfig = z.strictObject({
  /** After how long the last backup with what is erased today is gone, of both databases; a receipt names the day. */
  backupRetention: duration.refine((ms) => ms > 0, { message: 'more than 0' }),
  /** Keyed by `schema.table`; each table in a tenant's slice. */
  tables: z
    .record(
      z.string().regex(/^[^.]+\.[^.]+$/, 'write schema.table'),
      z
        .strictObject({
          /** Column whose text names the person, as `--subject` gives it. */
          subject: z.string().min(1),
          /** New values of columns, as text; null for none. */
          set: z.record(z.string(), z.union([z.string(), z.null()])).optional(),
          /** The whole row goes. */
          delete: z.literal(true).optional(),
        })
        .refine((rule) => (rule.set === undefined) !== (rule.delete === undefined), {
          message: 'give one of set and delete',
        }),
    )
    .default({}),
});
