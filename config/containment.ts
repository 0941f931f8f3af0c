import { z } from 'zod';
import { duration } from './duration';
import { rateRule } from './rate-limits';

/** What Node's timers and workflows' timers both know. */
const time = duration.pipe(z.number().positive().max(2_147_483_647));
const share = z.number().gt(0).max(1);

const noisyTenants = z.strictObject({
  /** A tenant is noisy from this share of what all tenants use, of any one signal … */
  share: share.default(0.5),
  /** … while there is at least so much of it: attempts in flight, failed attempts in the window, active sessions. */
  minInFlight: z.number().int().min(1).default(20),
  minErrors: z.number().int().min(1).default(50),
  minSessions: z.number().int().min(1).default(8),
  /** Looked at so often … */
  every: time.prefault('5s').refine((ms) => ms >= 500, { message: 'at least 500ms' }),
  /** … and noisy so many times in a row. */
  looks: z.number().int().min(1).max(1_000).default(3),
  /** Tenants that may be contained by the rule at a time; for more a person is asked. */
  most: z.number().int().min(0).max(1_000).default(2),
  /** And so many within an hour. */
  mostPerHour: z.number().int().min(0).max(10_000).default(6),
  for: time.prefault('10m'),
  /** Tenants that are never contained by the rule. */
  except: z.array(z.string().min(1)).default([]),
});

/** Section `containment`. */
export const containmentConfig = z
  .strictObject({
    /** What is applied ends by itself after so long without a sign of its workflow. */
    lease: time.prefault('60s').refine((ms) => ms >= 2_000, { message: 'a lease has at least 2 s' }),
    /** How long a containment lasts unless it is asked for otherwise, and how long at the longest. */
    for: time.prefault('15m'),
    longest: time.prefault('24h'),
    /** What an isolated tenant may still do of everything that has a rate limit. */
    floor: rateRule.prefault({ kind: 'fixed-window', limit: 1, window: '1s' }),
    /** Calls that are refused for an isolated tenant, besides those that its breakers are known for. */
    tenantBreakers: z
      .array(z.strictObject({ service: z.string().min(1), operation: z.string().min(1) }))
      .default([]),
    /** `false`: no tenant is contained by a rule. */
    noisyTenants: z.union([z.literal(false), noisyTenants]).default(false),
  })
  .refine((o) => o.longest >= o.for, { path: ['longest'], message: 'is shorter than `for`' });
