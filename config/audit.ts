import { z } from 'zod';
import { connection } from './connection';
import { duration } from './duration';

/** The audit log that proves itself: docs/compliance/audit.md. Without a key events are recorded and not sealed. */
export const auditConfig = z.strictObject({
  /** The log's public key, as `chronawflow audit keygen` prints it; for everybody who verifies. */
  publicKey: z.string().optional(),
  /** Keys that the log had before, whose checkpoints are good all the same. */
  formerPublicKeys: z.array(z.string()).default([]),
  /** File with the log's signing key: for the sealer alone. */
  keyFile: z.string().optional(),
  /** A program that signs instead of a key file, with its arguments: a KMS, an HSM. */
  signCommand: z.array(z.string().min(1)).min(1).optional(),
  /** The key before `keyFile`, which signs as well until everybody knows the new one. */
  formerKeyFile: z.string().optional(),
  /** File with an ML-DSA-44 key that signs the platform log's checkpoints as well. */
  quantumSafeKeyFile: z.string().optional(),
  /** As whom the sealer connects: a role of its own, since nobody else may write what is sealed. */
  database: connection.optional(),
  /** How long events are kept: docs/compliance/audit.md, "Retention". Without it nothing is dropped by itself. */
  retention: z
    .strictObject({
      /** What was sealed longer ago goes; never anything younger, whoever asks. */
      keep: duration.refine((ms) => ms >= 86_400_000, { message: 'at least 1 day' }),
      /** As whom workers and `audit retain` drop; the role chronawflow_retention, which has no other use. */
      database: connection,
      /** How often a worker looks; `false` leaves it to `chronawflow audit retain`. */
      every: z
        .union([
          z.literal(false),
          duration.refine((ms) => ms >= 1_000 && ms <= 604_800_000, { message: 'between 1 s and 7 d' }),
        ])
        .prefault('1h'),
    })
    .optional(),
  /** What of reading is an event itself: docs/compliance/audit.md, "Who has read what". */
  reads: z
    .strictObject({
      /** The audit log: verified, exported, proved. */
      log: z.boolean().default(true),
      /** Previews of restores, and the row images behind them. */
      previews: z.boolean().default(true),
      /** Dead letters with their errors, and jobs with their input. */
      deadLetters: z.boolean().default(true),
    })
    .prefault({}),
  /** Who cosigns the platform log's checkpoints; the sealer asks them. */
  witnesses: z
    .array(
      z.strictObject({
        /** Prefix of `/add-checkpoint`. */
        url: z.url({ protocol: /^https?$/ }),
        publicKey: z.string(),
      }),
    )
    .default([]),
});
