import { z } from 'zod';
import { checkLevels } from './degradation-checks';
import { duration } from './duration';

const positive = duration.pipe(z.number().positive());
const share = z.number().min(0).max(1);
const names = z.array(z.string().min(1).max(100)).default([]);

/** A number, or a duration in milliseconds for signals that are times. */
const threshold = z.union([z.number(), duration]);

/** Classes of load from the most to the least important; what is core stands above all of them. */
export const priorityClass = z.enum(['high', 'normal', 'low']);

const rule = z.strictObject({
  /** The level is entered from here on. */
  enter: threshold,
  /** It may be left at this or better; stays away from `enter`, so that a value between the two changes nothing. */
  leave: threshold.optional(),
});

const level = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a level is named like core-only'),
  /** By signal; one that is beyond `enter` is enough, and all have to be at `leave` to come back. Without any: by hand only. */
  when: z.record(z.string(), rule).default({}),
  /** Features that answer no more. */
  off: names,
  /** Features that read what they remember and ask nobody. */
  cacheOnly: names,
  // What is not said is as at the milder level.
  /** Regular work comes so many times less often. */
  intervals: z.number().min(1).max(1_000).optional(),
  /** Share of the usual page size. */
  pageSize: share.gt(0).optional(),
  /** Share of each class's requests that are admitted. */
  limits: z
    .strictObject({ high: share.optional(), normal: share.optional(), low: share.optional() })
    .default({}),
  /** Jobs of these classes wait. */
  holdJobs: z.array(priorityClass).default([]),
  /** Share of the usual time limits of calls. */
  timeoutScale: share.gt(0).optional(),
});

/**
 * Thresholds where nobody has said otherwise: those of the alerts (docs/resilience/health.md) for `reduced` and `limited`, and
 * twice as bad for `core-only`.
 */
const DEFAULT_LEVELS: z.input<typeof level>[] = [
  {
    name: 'reduced',
    when: {
      availability: { enter: 0.99, leave: 0.995 },
      'error-rate': { enter: 0.01, leave: 0.005 },
      latency: { enter: '2s', leave: '1s' },
      saturation: { enter: 0.85, leave: 0.7 },
    },
    intervals: 2,
    limits: { low: 0.5 },
    holdJobs: ['low'],
  },
  {
    name: 'limited',
    when: {
      availability: { enter: 0.95, leave: 0.98 },
      'error-rate': { enter: 0.05, leave: 0.02 },
      latency: { enter: '5s', leave: '2.5s' },
      saturation: { enter: 0.95, leave: 0.8 },
    },
    intervals: 5,
    pageSize: 0.5,
    limits: { normal: 0.7, low: 0 },
    holdJobs: ['low'],
    timeoutScale: 0.8,
  },
  {
    name: 'core-only',
    when: {
      availability: { enter: 0.9, leave: 0.95 },
      'error-rate': { enter: 0.1, leave: 0.05 },
      latency: { enter: '10s', leave: '5s' },
    },
    intervals: 10,
    pageSize: 0.25,
    limits: { high: 0.5, normal: 0, low: 0 },
    holdJobs: ['low', 'normal'],
    timeoutScale: 0.6,
  },
];

/** What is switched off when, and when it is switched on again: docs/resilience/degradation.md. */
export const degradationConfig = z
  .strictObject({
    /** Processes report, and the controller decides, this often. */
    interval: positive.prefault('5s'),
    /** A level is left this long after all of its signals are well again. */
    dwell: positive.prefault('300s'),
    /** Steps back towards normal in any hour; steps away from it are never refused. */
    recoveriesPerHour: z.number().int().min(1).max(1_000).default(12),
    /** A sample that is older says nothing; default three intervals. */
    staleAfter: positive.optional(),
    /** A controller that gives no sign for so long is reported. */
    silentAfter: positive.prefault('30s'),
    /** What is admitted again after a step back grows to all over this time. */
    slowStart: duration.prefault('60s'),
    /** Share of the instances at either end of a signal that are left out as outliers; at least one of three or more. */
    outliers: z.number().min(0).max(0.4).default(0.1),
    /** What no level may ever shed. */
    core: names,
    /** Tenant tiers with a level of their own, beside that of the platform. */
    tiers: z.array(z.string().min(1).max(100)).default([]),
    /** Signals beside the built-in ones. */
    signals: z.record(z.string(), z.strictObject({ worse: z.enum(['higher', 'lower']) })).default({}),
    /** From the mildest to the hardest; each also does what those before it do. */
    levels: z.array(level).min(1).max(20).prefault(DEFAULT_LEVELS),
  })
  .superRefine(checkLevels);

export type DegradationConfig = z.output<typeof degradationConfig>;
export type DegradationLevelConfig = z.output<typeof level>;
export type PriorityClass = z.output<typeof priorityClass>;
