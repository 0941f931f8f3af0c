import { performance } from 'node:perf_hooks';
import type { HealthMonitor } from '../../health';
import { METRIC, type Metrics, sharedMetrics } from '../../metrics';
import type { ProcessSample } from '../store/report-process';

/** Asked once an interval for what it has seen since the last time. What it throws is reported; the others are heard all the same. */
export type SignalSource = () => Iterable<ProcessSample> | Promise<Iterable<ProcessSample>>;

/** The share of the time in which the event loop was busy: a Node process's own saturation, whatever its work is. */
export function loopSignals(): SignalSource {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return [{ signal: 'saturation', value: utilization }];
  };
}

/** The score of a process's health checks. */
export function healthSignals(health: Pick<HealthMonitor, 'score'>): SignalSource {
  return () => [{ signal: 'health', value: health.score() }];
}

/** Fewer calls in an interval say nothing. */
const LEAST_CALLS = 10;

/** Error rate and latency of the calls to other services, from what the process counts for Prometheus anyway. */
export function callSignals(metrics: Metrics = sharedMetrics): SignalSource {
  let before = { tried: 0, failed: 0, buckets: new Map<number, number>() };
  return async () => {
    const now = await readCalls(metrics);
    const tried = now.tried - before.tried;
    const failed = now.failed - before.failed;
    const buckets = [...now.buckets].map(
      ([bound, count]) => [bound, count - (before.buckets.get(bound) ?? 0)] as const,
    );
    // Fewer than before: series have left the registry, so nobody knows what was added.
    if (tried < 0 || failed < 0 || buckets.some(([, count]) => count < 0)) {
      before = now;
      return [];
    }
    if (tried < LEAST_CALLS) return [];
    before = now;
    const latency = percentile95(buckets);
    return [
      { signal: 'call-error-rate', value: failed / tried },
      ...(latency === undefined ? [] : [{ signal: 'call-latency', value: latency * 1_000 }]),
    ];
  };
}

async function readCalls({ registry }: Metrics) {
  const buckets = new Map<number, number>();
  let tried = 0;
  let failed = 0;
  for (const { value, labels } of (await registry.getSingleMetric(METRIC.calls)?.get())?.values ?? []) {
    if (labels.outcome === 'rejected') continue;
    tried += value;
    if (labels.outcome !== 'ok') failed += value;
  }
  for (const { value, labels } of (await registry.getSingleMetric(METRIC.callSeconds)?.get())?.values ?? []) {
    if (labels.le === undefined) continue;
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return { tried, failed, buckets };
}

/** Cumulative counts by upper bound, in seconds; the bound of the bucket in which the percentile lies. */
function percentile95(buckets: readonly (readonly [number, number])[]): number | undefined {
  const sorted = buckets.toSorted(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const finite = sorted.filter(([bound]) => Number.isFinite(bound));
  return (finite.find(([, count]) => count >= 0.95 * total) ?? finite.at(-1))?.[0];
}
