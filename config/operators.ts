import { z } from 'zod';
import { duration } from './duration';

const approvals = (max: number) => z.number().int().min(0).max(max);

/** Signed operators: docs/compliance/access-control.md. Without this section people are names that they give themselves. */
export const operatorsConfig = z.strictObject({
  /** The roots, by name: their public keys (`ssh-ed25519 AAAA…`). They administer operators, and are in no database. */
  administrators: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/), z.string().startsWith('ssh-ed25519 '))
    .refine((roots) => Object.keys(roots).length > 0, { message: 'name at least one' }),
  /** How long an intent may be good for; approvals have to come within it. */
  intentLifetime: duration.prefault('24h').refine((ms) => ms >= 60_000, { message: 'at least 1 min' }),
  /** Whether intents are good while no witness of the audit log can be asked whether it was set back. */
  whenWitnessesAreAway: z.enum(['refuse', 'accept']).default('refuse'),
  /** How many other operators have to sign as well. */
  fourEyes: z
    .strictObject({
      /** Of a tenant's restore and its undo; `recovery.approvals` may ask for more. */
      restore: approvals(2).default(1),
      erasure: approvals(5).default(1),
      /** Of chaos experiments in production. */
      chaos: approvals(5).default(1),
      /** Of a degradation level that a person sets against the controller. */
      override: approvals(5).default(1),
    })
    .prefault({}),
});
