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
