import { LatencyHistogram } from '../../protection';
import { PLATFORM_SCOPE } from '../scope';
import type { ProcessSample } from '../store/report-process';

/** Fewer requests in an interval say nothing. */
const LEAST_REQUESTS = 10;

interface Window {
  answered: number;
  failed: number;
  latency: LatencyHistogram;
}

/** What came of a request that was let in: one that was shed on purpose says nothing about how the service is. */
export type RequestOutcome = 'answered' | 'failed';

/** Availability, error rate and latency of the requests that a process serves, by scope, since they were last taken. */
export class RequestSignals {
  private windows = new Map<string, Window>();

  note(outcome: RequestOutcome, ms: number, scope: string = PLATFORM_SCOPE): void {
    let window = this.windows.get(scope);
    if (window === undefined) {
      window = { answered: 0, failed: 0, latency: new LatencyHistogram() };
      this.windows.set(scope, window);
    }
    window[outcome] += 1;
    window.latency.observe(ms);
  }

  /** Begins anew; a window with too few requests goes on. */
  take(): ProcessSample[] {
    const samples: ProcessSample[] = [];
    for (const [scope, { answered, failed, latency }] of this.windows) {
      const tried = answered + failed;
      if (tried < LEAST_REQUESTS) continue;
      this.windows.delete(scope);
      samples.push(
        { scope, signal: 'availability', value: answered / tried },
        { scope, signal: 'error-rate', value: failed / tried },
        { scope, signal: 'latency', value: latency.percentile(0.95) },
      );
    }
    return samples;
  }
}
