import {
  type CounterFamily,
  type GaugeFamily,
  type GaugeSample,
  type HistogramFamily,
  METRIC,
  type Metrics,
  sharedMetrics,
} from '../core/metrics';
import type { ComplianceReport } from '../core/recovery/report';
import type { JournalEntry, JournalOutcome } from '../core/recovery/restore-journal';
import type { ObjectiveCheck } from '../core/recovery/types';

/** What Prometheus sees of the capability `recovery`. No tenant in a label: their number has no bound. */
export class RecoveryMetrics {
  private readonly operations: CounterFamily<'kind' | 'outcome'>;
  private readonly steps: HistogramFamily<'step' | 'result'>;
  private readonly breaches: CounterFamily<'objective' | 'tier'>;
  private readonly missed: GaugeFamily<'objective' | 'tier'>;
  private report: ComplianceReport | undefined;
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
    this.missed = metrics.gauge({
      name: METRIC.objectiveMissed,
      help: '1 while an objective of the tier is missed by what is restorable now or by the last restores, else 0.',
      labels: ['objective', 'tier'],
      merge: 'max',
    });
    this.missed.collectFrom(() => this.compliances());
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

  /** What a look at the objectives found; undefined when there was none to be had. */
  compliance(report: ComplianceReport | undefined): void {
    this.report = report;
  }

  private compliances(): GaugeSample<'objective' | 'tier'>[] {
    return (this.report?.tiers ?? []).flatMap(({ tier, rpoMet, rtoMet }) => [
      { labels: { objective: 'rpo', tier }, value: rpoMet ? 0 : 1 },
      // Never shown is neither.
      ...(rtoMet === undefined ? [] : [{ labels: { objective: 'rto', tier }, value: rtoMet ? 0 : 1 }]),
    ]);
  }

  cleanUpIncomplete(): void {
    this.cleanUps.inc({});
  }
}
