import { z } from 'zod';
import { connection } from './connection';

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
