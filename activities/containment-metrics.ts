import type { ContainmentRecord, Strategy } from '../core/containment';
import { type CounterFamily, METRIC, type Metrics, sharedMetrics } from '../core/metrics';

const STRATEGIES: readonly Strategy[] = [
  'isolate-tenant',
  'read-only',
  'open-breaker',
  'hold-queue',
  'drain-endpoint',
];

/** What Prometheus hears of containments. */
export class ContainmentMetrics {
  private readonly parts: CounterFamily<'strategy'>;
  private readonly ends: CounterFamily<'strategy' | 'outcome'>;
  private standing: readonly ContainmentRecord[] = [];

  constructor(metrics: Metrics = sharedMetrics) {
    this.parts = metrics.counter({
      name: 'chronawflow_containment_parts_applied_total',
      help: 'Parts of containments that were applied; renewals do not count.',
      labels: ['strategy'],
    });
    this.ends = metrics.counter({
      name: METRIC.containmentEnds,
      help: 'Containments that ended, by how.',
      labels: ['strategy', 'outcome'],
    });
    metrics
      .gauge({
        name: METRIC.containments,
        help: 'Containments that stand now.',
        labels: ['strategy'],
        merge: 'max',
      })
      .collectFrom(() =>
        STRATEGIES.map((strategy) => ({
          labels: { strategy },
          value: this.standing.filter((one) => one.state === 'active' && one.target.strategy === strategy)
            .length,
        })),
      );
  }

  applied(strategy: Strategy): void {
    this.parts.inc({ strategy });
  }

  ended(strategy: Strategy, outcome: string): void {
    this.ends.inc({ strategy, outcome });
  }

  /** What stands, as it was seen last. */
  seen(standing: readonly ContainmentRecord[]): void {
    this.standing = standing;
  }
}
