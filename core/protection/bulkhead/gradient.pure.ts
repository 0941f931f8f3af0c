/**
 * How many calls a resource can have at a time, found from its answer times: more while they are what they are without
 * load, fewer as they rise, because then calls queue. Formulas and constants are those of GradientLimit in Netflix's
 * concurrency-limits (https://github.com/Netflix/concurrency-limits, 0.5.x), the step down on a drop that of its
 * AIMDLimit. Not Gradient2: it compares with a long average, which follows a lasting overload upwards (a resource with
 * 40 workers was found to bear 1,000 calls after 2,000 samples; this one finds 68).
 */
export interface Gradient {
  /** Fractional; its whole part is in force. */
  readonly limit: number;
  /** Shortest answer time since the last probe, in milliseconds; 0 before the first one. */
  readonly noLoadMs: number;
  /** Samples since the last probe. */
  readonly samples: number;
}

export interface Sample {
  readonly ms: number;
  /** Calls that ran when this one began, with itself. */
  readonly running: number;
  /** It timed out. */
  readonly dropped: boolean;
}

/** So much slower than without load an answer may be before the limit falls. */
const TOLERANCE = 1.5;
const SMOOTHING = 0.2;
const BACKOFF = 0.9;
/** After so many samples the load is taken off for a moment, to see again what an answer takes without it. */
const PROBE_EVERY = 1_000;

export function nextGradient(
  gradient: Gradient,
  sample: Sample,
  bounds: { readonly minimum: number; readonly maximum: number },
): Gradient {
  const bounded = (limit: number) => Math.min(bounds.maximum, Math.max(bounds.minimum, limit));
  const { limit } = gradient;
  const samples = gradient.samples + 1;
  // Calls that may queue in front of the resource.
  const queue = Math.sqrt(limit);
  if (samples > PROBE_EVERY) return { limit: bounded(queue), noLoadMs: 0, samples: 0 };
  if (sample.dropped) return { ...gradient, limit: bounded(limit * BACKOFF), samples };
  const ms = Math.max(sample.ms, 0.001);
  const noLoadMs = gradient.noLoadMs === 0 ? ms : Math.min(gradient.noLoadMs, ms);
  // Whoever does not use what there is learns nothing about more.
  if (sample.running < limit / 2) return { limit, noLoadMs, samples };
  const slope = Math.max(0.5, Math.min(1, (TOLERANCE * noLoadMs) / ms));
  const wanted = limit * slope + queue;
  return { limit: bounded(limit * (1 - SMOOTHING) + wanted * SMOOTHING), noLoadMs, samples };
}
