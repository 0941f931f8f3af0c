import type { CounterFamily } from '../metrics';
import { type GaugeFamily, METRIC, type Metrics, sharedMetrics } from '../metrics';
import type { QueueDepth } from './store/look';
import type { AttemptEnd, JobRef } from './types';

/** Value of the label `queue`, by which the alert on depth knows this one. */
const QUEUE = 'jobs';

type PerTenant = 'queue' | 'tenant';

/**
 * What Prometheus sees of jobs. The queue is one for all workers, so each of them shows the same depths, as it last read
 * them; attempts are those of this process. Tenants are bounded to the busiest (core/metrics/README.md).
 */
export class JobMetrics {
  private readonly attempts: CounterFamily<'tenant' | 'type' | 'end'>;
  private depths: readonly QueueDepth[] = [];
  private readonly stops: (() => void)[];

  constructor(metrics: Metrics = sharedMetrics) {
    this.attempts = metrics.counter({
      name: 'chronawflow_job_attempts_total',
      help: 'Attempts of jobs that ended in this process, by how they left the job.',
      labels: ['tenant', 'type', 'end'],
    });
    const gauge = (name: string, help: string, merge: 'sum' | 'max'): GaugeFamily<PerTenant> =>
      metrics.gauge({ name, help, labels: ['queue', 'tenant'], merge });
    this.stops = [
      this.show(gauge(METRIC.queueDepth, 'Jobs that wait.', 'sum'), (depth) => depth.waiting),
      this.show(
        gauge('chronawflow_queue_oldest_seconds', 'How long the longest waiting job has been due.', 'max'),
        (depth) => depth.oldestMs / 1_000,
      ),
      this.show(
        gauge('chronawflow_jobs_in_flight', 'Jobs handed over or running.', 'sum'),
        (depth) => depth.inFlight,
      ),
      this.show(
        gauge('chronawflow_job_dead_letters', 'Jobs that are dead and not discarded or redriven.', 'sum'),
        (depth) => depth.dead,
      ),
    ];
  }

  read(depths: readonly QueueDepth[]): void {
    this.depths = depths;
  }

  ended({ tenant, type }: JobRef, end: AttemptEnd): void {
    this.attempts.inc({ tenant, type, end: end.kind });
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  private show(gauge: GaugeFamily<PerTenant>, value: (depth: QueueDepth) => number): () => void {
    return gauge.collectFrom(() =>
      this.depths.map((depth) => ({ labels: { queue: QUEUE, tenant: depth.tenant }, value: value(depth) })),
    );
  }
}
