import {
  type CounterFamily,
  type HistogramFamily,
  METRIC,
  type Metrics,
  sharedMetrics,
} from '../core/metrics';
import type { JournalEntry, JournalOutcome } from '../core/recovery/restore-journal';
import type { ObjectiveCheck } from '../core/recovery/types';

/** What Prometheus sees of the capability `recovery`. No tenant in a label: their number has no bound. */
export class RecoveryMetrics {
  private readonly operations: CounterFamily<'kind' | 'outcome'>;
  private readonly steps: HistogramFamily<'step' | 'result'>;
  private readonly breaches: CounterFamily<'objective' | 'tier'>;
  private readonly cleanUps: CounterFamily;
  private readonly points: CounterFamily;

  constructor(metrics: Metrics = sharedMetrics) {
    this.operations = metrics.counter({
      name: 'chronawflow_recovery_operations_total',
      help: 'Restores, undos, drills and cluster restores that ended, by outcome.',
      labels: ['kind', 'outcome'],
    });
    this.steps = metrics.histogram({
      name: 'chronawflow_recovery_step_seconds',
      help: 'Time of one attempt of one step.',
      labels: ['step', 'result'],
      // A preview of a small tenant takes milliseconds, the scratch restore of a large cluster hours.
      buckets: [0.05, 0.25, 1, 5, 15, 60, 300, 1_800, 7_200],
    });
    this.breaches = metrics.counter({
      name: 'chronawflow_recovery_objective_breaches_total',
      help: 'Restores that missed an objective of their tenant’s tier.',
      labels: ['objective', 'tier'],
    });
    this.cleanUps = metrics.counter({
      name: 'chronawflow_recovery_clean_up_incomplete_total',
      help: 'Operations whose clean-up left something for an operator.',
    });
    this.points = metrics.counter({
      name: METRIC.recoveryPoints,
      help: 'Recovery points that were created.',
    });
    this.points.zero({});
  }

  step(step: string): (result: 'ok' | 'failed' | 'interrupted') => void {
    const began = performance.now();
    return (result) => {
      this.steps.observe({ step, result }, (performance.now() - began) / 1_000);
    };
  }

  pointCreated(): void {
    this.points.inc({});
  }

  ended(kind: JournalEntry['kind'], outcome: JournalOutcome): void {
    this.operations.inc({ kind, outcome });
  }

  objectives(check: ObjectiveCheck): void {
    if (!check.rpoMet) this.breaches.inc({ objective: 'rpo', tier: check.tier });
    if (!check.rtoMet) this.breaches.inc({ objective: 'rto', tier: check.tier });
  }

  cleanUpIncomplete(): void {
    this.cleanUps.inc({});
  }
}
