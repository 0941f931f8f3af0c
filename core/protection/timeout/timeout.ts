import type { z } from 'zod';
import { timeoutOptions } from '../../../config';
import { begin, NEVER, untilAborted } from '../abort';
import { deadlineOf, setDeadline } from '../deadline';
import { LatencyHistogram } from '../latency-histogram';
import { monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import type { Policy, Protected } from '../policy';
import { tell } from '../tell';
import { TimeoutExceededError } from './timeout-exceeded-error';

export type TimeoutOptions = z.input<typeof timeoutOptions> & {
  /** Share of the limit that calls have now, above 0 and up to 1: less at a higher degradation level. */
  readonly scale?: () => number;
  readonly onTimeout?: (error: TimeoutExceededError) => void;
};

/**
 * Ends the wait for a call and aborts its signal. Never waits longer than what is left of the caller's own deadline,
 * which travels with the signal.
 */
export class Timeout implements Policy {
  private readonly options: z.output<typeof timeoutOptions>;
  private readonly scale: (() => number) | undefined;
  private readonly onTimeout: TimeoutOptions['onTimeout'];
  private readonly observed: LatencyHistogram | undefined;

  /** @throws InvalidInputError naming the option */
  constructor({ scale, onTimeout, ...options }: TimeoutOptions) {
    this.options = parseOptions(timeoutOptions, options, 'Timeout');
    this.scale = scale;
    this.onTimeout = onTimeout;
    this.observed = this.options.adaptive === undefined ? undefined : new LatencyHistogram();
  }

  /** Milliseconds that a call without a deadline has now. */
  limitMs(): number {
    const { limit, adaptive } = this.options;
    const scale = Math.min(1, Math.max(0, this.scale?.() ?? 1)) || 1;
    if (
      adaptive === undefined ||
      this.observed === undefined ||
      this.observed.observed < adaptive.minimumCalls
    ) {
      return limit * scale;
    }
    const usual = this.observed.percentile(0.99) * adaptive.factor;
    return Math.min(limit, Math.max(adaptive.floor, usual)) * scale;
  }

  /** @throws TimeoutExceededError; the call's own error; the signal's reason */
  async execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    signal.throwIfAborted();
    const startedAt = monotonicMs();
    const own = this.limitMs();
    const left = (deadlineOf(signal) ?? Number.POSITIVE_INFINITY) - startedAt;
    const limit = Math.min(own, left);
    if (limit <= 0) throw this.exceeded(0, true);

    const abort = new AbortController();
    setDeadline(abort.signal, startedAt + limit);
    const timer = setTimeout(() => abort.abort(this.exceeded(limit, left < own)), limit);
    const onAbort = () => abort.abort(signal.reason);
    if (signal !== NEVER) signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await untilAborted(begin(call, abort.signal), abort.signal);
    } finally {
      clearTimeout(timer);
      if (signal !== NEVER) signal.removeEventListener('abort', onAbort);
      // A call that was cut off counts with the time it was given: left out, the limit would only ever fall.
      this.observed?.observe(monotonicMs() - startedAt);
    }
  }

  private exceeded(ms: number, byDeadline: boolean): TimeoutExceededError {
    const error = new TimeoutExceededError(ms, byDeadline);
    tell(this.onTimeout, error);
    return error;
  }
}
