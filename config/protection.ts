import { z } from 'zod';
import { duration } from './duration';

const share = z.number().gt(0).max(1);
const positive = duration.pipe(z.number().positive());
const atLeastOne = z.number().int().min(1);

/** The last so many calls, or the calls of the last so long, counted in buckets. */
const callWindow = z.union([
  z.strictObject({ calls: atLeastOne.max(10_000) }),
  z.strictObject({ duration: positive, buckets: z.number().int().min(2).max(600).default(10) }),
]);

/** Sources of the defaults: docs/resilience/protection.md, "Numbers". */
export const breakerOptions = z
  .strictObject({
    /** Opens after this many failures in a row; `false` turns the rule off. */
    consecutiveFailures: z.union([atLeastOne, z.literal(false)]).default(5),
    /** Opens when this share of the window's calls failed. */
    failureRate: z.union([share, z.literal(false)]).default(0.5),
    /** Opens when this share of the window's calls took `slowerThan` or longer. */
    slowRate: z.union([share, z.literal(false)]).default(1),
    slowerThan: positive.prefault('5s'),
    /** The two rates say nothing before the window has this many calls. */
    minimumCalls: atLeastOne.default(20),
    window: callWindow.default({ calls: 100 }),
    /** The first break; each further one without a close in between takes twice as long, up to `breakLimit`. */
    breakFor: positive.prefault('5s'),
    breakLimit: positive.prefault('5m'),
    /** A break is longer or shorter by up to this share, so that processes do not probe together. */
    jitter: z.number().min(0).lt(1).default(0.2),
    /** Half-open: so many calls at a time, and so many have to succeed. */
    probes: atLeastOne.max(100).default(3),
    /** A probe without an answer for so long counts as failed. */
    probeLimit: positive.prefault('30s'),
    /** After the probes the admitted share of calls grows to all over this time; 0 closes at once. */
    closeOver: duration.prefault('10s'),
    firstShare: share.default(0.1),
  })
  .refine((o) => o.breakLimit >= o.breakFor, { path: ['breakLimit'], message: 'is shorter than breakFor' })
  .refine((o) => !('calls' in o.window) || o.minimumCalls <= o.window.calls, {
    path: ['minimumCalls'],
    message: 'is more than the window holds',
  });

export const registryOptions = z.strictObject({
  /** Most breakers at a time; 100,000 of them take about 50 MB. */
  limit: atLeastOne.max(10_000_000).default(100_000),
  /** A breaker that nobody asked for in this time is forgotten. */
  idleAfter: positive.prefault('15m'),
});

/** Longest time that Node's timers know: 2^31 - 1 ms, 24.8 days. */
const timer = positive.pipe(z.number().max(2_147_483_647));

export const timeoutOptions = z
  .strictObject({
    limit: timer,
    /** The limit follows the 99th percentile of what was observed, between `floor` and `limit`. */
    adaptive: z
      .strictObject({
        floor: timer.prefault('100ms'),
        /** Times the percentile. */
        factor: z.number().min(1).max(100).default(2),
        /** Before so many calls were observed, `limit` holds. */
        minimumCalls: atLeastOne.default(100),
      })
      .optional(),
  })
  .refine((o) => o.adaptive === undefined || o.adaptive.floor <= o.limit, {
    path: ['adaptive', 'floor'],
    message: 'is longer than limit',
  });

export const retryBudgetOptions = z.strictObject({
  /** Retries are at most this share of calls … */
  share: share.default(0.1),
  /** … beside this many at once. */
  reserve: z.number().int().min(0).max(10_000).default(10),
});

export const retryOptions = z
  .strictObject({
    /** All tries together. */
    attempts: z.number().int().min(1).max(20).default(3),
    /** Before the n-th retry it waits up to `base` · 2^(n-1), at most `limit`. */
    base: timer.prefault('100ms'),
    limit: timer.prefault('20s'),
    /** Whether the call may be made twice. If not, only `keyed` calls are tried again. */
    idempotent: z.boolean().default(false),
  })
  .refine((o) => o.limit >= o.base, { path: ['limit'], message: 'is shorter than base' });

const adaptiveConcurrency = z
  .strictObject({
    minimum: atLeastOne.default(4),
    maximum: atLeastOne.max(100_000).default(1_000),
  })
  .refine((o) => o.maximum >= o.minimum, { path: ['maximum'], message: 'is less than minimum' });

export const bulkheadOptions = z
  .strictObject({
    /** Calls at a time; with `adaptive` where it starts. */
    concurrency: atLeastOne.max(100_000),
    /** Calls of one tenant at a time, without the reserve; by default as many as there are places. */
    perTenant: atLeastOne.optional(),
    /** Places that tenants share beyond their own. */
    reserve: z.number().int().min(0).default(0),
    /** Calls that wait for a place, of all tenants and of one. */
    queue: z.number().int().min(0).max(1_000_000).default(0),
    queuePerTenant: z.number().int().min(0).optional(),
    queueWait: timer.prefault('1s'),
    /** A call without an answer for so long gives its place up, though it may still run. */
    holdLimit: timer.prefault('10m'),
    /** The number of places follows the answer times. */
    adaptive: adaptiveConcurrency.optional(),
  })
  .refine((o) => o.perTenant === undefined || o.perTenant <= o.concurrency, {
    path: ['perTenant'],
    message: 'is more than concurrency',
  });

export const hedgingOptions = z.strictObject({
  /** How long the first call is waited for; with `percentile` until enough calls were observed. */
  after: timer,
  /** Waits for this percentile of the observed answer times instead. */
  percentile: z.number().gt(0.5).lt(1).optional(),
  /** Calls at a time, with the first. */
  attempts: z.number().int().min(2).max(5).default(2),
});

export const rememberedOptions = z.strictObject({
  maxAge: positive,
  limit: atLeastOne.max(10_000_000).default(10_000),
});

export const sharedBreakerOptions = z
  .strictObject({
    /** How often a process tells what it sees and hears what the others decided. */
    interval: timer.prefault('1s'),
    /** A process that was not seen for so long does not count. */
    lease: timer.prefault('10s'),
    /** So many processes have to have a breaker open by themselves … */
    quorum: z.number().int().min(1).max(10_000).default(2),
    /** … and at least this share of the processes that are there. */
    quorumShare: z.number().min(0).max(1).default(0.25),
    /** For one statement of the exchange; calls never wait for it. */
    statementLimit: timer.prefault('2s'),
  })
  .refine((o) => o.lease >= 2 * o.interval, { path: ['lease'], message: 'is shorter than two intervals' });

/** Section `protection`: breakers of Chronawflow's own calls, and of services that read the same file. */
export const protectionConfig = z.strictObject({
  breaker: breakerOptions.prefault({}),
  /** Rules of single services, whole. */
  services: z.record(z.string().min(1), breakerOptions).default({}),
  registry: registryOptions.prefault({}),
  /** `false`: this process neither tells nor hears what other processes see. */
  shared: z.union([z.literal(false), sharedBreakerOptions]).prefault({}),
});
