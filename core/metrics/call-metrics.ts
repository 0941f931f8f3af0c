import type { CounterFamily } from './counter-family';
import type { HistogramFamily } from './histogram-family';
import type { Metrics } from './metrics';
import { METRIC } from './names';
import { sharedMetrics } from './shared';

/** `rejected` was never tried: a breaker was open, a bulkhead full, a limit reached. */
export type CallOutcome = 'ok' | 'error' | 'timeout' | 'rejected';

export interface CallTarget {
  readonly service: string;
  readonly operation: string;
}

/** The thresholds of the latency alerts, 2 s and 5 s, are bucket bounds, so that they are judged exactly. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** Targets are written in code; more than this and somebody's input has become one. */
const MOST_TARGETS = 1_000;

/** Throughput, errors, timeouts and latency (P50, P95, P99 from the histogram) of calls to one target. */
export class CallMetrics {
  private readonly announced = new Set<string>();
  private readonly calls: CounterFamily<'service' | 'operation' | 'outcome'>;
  private readonly timeouts: CounterFamily<'service' | 'operation'>;
  private readonly seconds: HistogramFamily<'service' | 'operation'>;

  constructor(metrics: Metrics = sharedMetrics) {
    this.calls = metrics.counter({
      name: METRIC.calls,
      help: 'Calls that ended, by outcome; rejected calls were never tried.',
      labels: ['service', 'operation', 'outcome'],
    });
    this.timeouts = metrics.counter({
      name: METRIC.timeouts,
      help: 'Calls that were given up because their time was over.',
      labels: ['service', 'operation'],
    });
    this.seconds = metrics.histogram({
      name: METRIC.callSeconds,
      help: 'Time of calls that were tried.',
      labels: ['service', 'operation'],
      buckets: BUCKETS,
    });
  }

  /** Exposes a target's counters at 0, so that its first failure is seen as an increase. */
  announce(target: CallTarget): void {
    for (const outcome of ['ok', 'error', 'timeout', 'rejected'] as const)
      this.calls.zero({ ...target, outcome });
    this.timeouts.zero(target);
  }

  ended(target: CallTarget, outcome: CallOutcome, seconds: number): void {
    // Without a series of answered calls there would be no availability to alert on where none is ever answered.
    const key = `${target.service}\u0000${target.operation}`;
    if (!this.announced.has(key) && this.announced.size < MOST_TARGETS) {
      this.announced.add(key);
      this.announce(target);
    }
    this.calls.inc({ ...target, outcome });
    if (outcome === 'timeout') this.timeouts.inc(target);
    if (outcome !== 'rejected') this.seconds.observe(target, seconds);
  }
}
