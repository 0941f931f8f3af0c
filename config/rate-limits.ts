import { z } from 'zod';
import { duration } from './duration';

const limit = z.number().int('give a whole number of units').min(1).max(1e12);
const share = z.number().gt(0).lte(1);
const window = duration
  .refine((ms) => ms >= 1, 'a window is at least 1 ms long')
  .refine((ms) => ms <= 366 * 86_400_000, 'a window is at most a year long');

/** One limit over all processes; its window, or the time in which a bucket fills, is then at least a second. */
const scope = z
  .strictObject({
    /** What one process may admit of the limit while the database is away; all processes' shares sum up to 1. */
    localShare: share,
  })
  .optional();

const fixedWindow = z.strictObject({ kind: z.literal('fixed-window'), limit, window, global: scope });
const slidingWindow = z.strictObject({ kind: z.literal('sliding-window'), limit, window, global: scope });
const tokenBucket = z.strictObject({
  kind: z.literal('token-bucket'),
  /** Most that can be admitted at once. */
  capacity: limit,
  refillPerSecond: z.number().positive().max(1e12),
  global: scope,
});
const adaptive = z.strictObject({
  kind: z.literal('adaptive'),
  base: z.discriminatedUnion('kind', [fixedWindow, slidingWindow, tokenBucket]),
  /** Share of the base that stays open however bad things are. */
  floor: share.default(0.1),
});

export const rateRule = z
  .discriminatedUnion('kind', [fixedWindow, slidingWindow, tokenBucket, adaptive])
  .superRefine((rule, ctx) => {
    const base = rule.kind === 'adaptive' ? rule.base : rule;
    if (base.global === undefined) return;
    const bucket = base.kind === 'token-bucket';
    if ((bucket ? (base.capacity / base.refillPerSecond) * 1_000 : base.window) >= 1_000) return;
    ctx.addIssue({
      code: 'custom',
      path: [...(rule.kind === 'adaptive' ? ['base'] : []), bucket ? 'refillPerSecond' : 'window'],
      message: bucket
        ? 'a global bucket takes at least 1 s to fill, so refillPerSecond is at most its capacity'
        : 'a global limit has a window of at least 1 s',
    });
  });

const positive = duration.refine((ms) => ms > 0, 'has to be longer than 0');
/** Longest time that Node's timers know: 2^31 - 1 ms. */
const timer = positive.pipe(z.number().max(2_147_483_647));

export const limiterSettings = {
  /** Units of operations that are asked for by name. */
  costs: z.record(z.string(), z.number().positive().max(1e12)).default({}),
  /** A second is what a client that honours Retry-After waits anyway; at a quarter of an hour a person looks. */
  penalty: z
    .strictObject({
      /** Hold after the first violation; each further one doubles it. */
      base: positive.default(1_000),
      max: positive.default(15 * 60_000),
      /** In this time half of the violations are forgotten. */
      halfLife: positive.default(10 * 60_000),
      /** So many refusals within a window are a violation by themselves. */
      after: z.number().int().min(1).default(Number.MAX_SAFE_INTEGER),
    })
    .prefault({}),
  /** Tenants that are remembered. */
  maxTenants: z.number().int().min(2).max(10_000_000).default(100_000),
};

/** Section `rateLimits`: the limits of every service that reads the same file, and of jobs' calls. */
export const rateLimitsConfig = z.strictObject({
  /** For every tenant and resource without a rule of its own. */
  rule: rateRule,
  /** Rules of single resources; `ctx.call` of jobs obeys the one that has the service's name. */
  resources: z.record(z.string().min(1), rateRule).default({}),
  ...limiterSettings,
  /** A change of a tenant's rules that no notification told is found after this. */
  poll: timer.prefault('5s'),
  /** Longest wait of a request for a lease of a global limit. */
  leaseWait: timer.prefault('250ms'),
  /** Longest wait for an answer of the control-plane database. */
  leaseTimeout: timer.prefault('400ms'),
});
