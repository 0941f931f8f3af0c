import { z } from 'zod';
import { duration } from './duration';

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dots, underscores and dashes, 64 at most');

/** Encryption of what Temporal stores: docs/compliance/encryption.md. Without this section it is off. */
export const payloadsConfig = z.strictObject({
  /** What wraps the tenants' keys: the first one wraps, all unwrap. In no database and in no backup of one. */
  keyEncryptionKeys: z
    .array(
      z.union([
        /** 32 bytes as base64. */
        z.strictObject({ id, file: z.string().min(1) }),
        /** Program and arguments, run with `wrap` or `unwrap`, the ID and a text to bind; base64 in and out. */
        z.strictObject({ id, command: z.tuple([z.string().min(1)], z.string()) }),
      ]),
    )
    .min(1)
    .refine((keys) => new Set(keys.map((key) => key.id)).size === keys.length, {
      message: 'two keys have one ID',
    }),
  /** Whether a workflow may be started with a plain input, such as by Temporal's own CLI. */
  plainInput: z.enum(['refuse', 'accept']).default('refuse'),
  /** Until then plain payloads are taken everywhere, for runs and schedules from before encryption. */
  plainUntil: z.iso.datetime({ offset: true }).optional(),
  /** How long an unwrapped key is kept in memory, and so the most that a destroyed one may still be used. */
  keyCache: duration.prefault('30s').refine((ms) => ms >= 100 && ms <= 3_600_000, {
    message: 'between 100 ms and 1 h',
  }),
  /** Who may have payloads decrypted, by `chronawflow codec-server`. */
  codecServer: z
    .strictObject({
      /** Of the Temporal Web UI, exactly as browsers send it: `https://temporal.example.com`. */
      origin: z.url({ protocol: /^https?$/ }).refine((url) => new URL(url).origin === url, {
        message: 'scheme, host and port only, without a path',
      }),
      tokens: z
        .array(
          z.strictObject({
            operator: z.string().min(1),
            /** Of the token, hex; `chronawflow codec-server token` makes both. */
            sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of a token, in hex'),
            /** Whose payloads; everybody's without. */
            tenants: z.array(z.string().min(1)).min(1).optional(),
          }),
        )
        .min(1),
      /** Whether each decoding is an event of the audit log. */
      audit: z.boolean().default(true),
    })
    .optional(),
  /** A tenant's key encrypts for so long; then a new one does. */
  rotateAfter: duration.prefault('30d').refine((ms) => ms >= 1_000, { message: 'at least 1 s' }),
});
