import { Counter, Histogram, type Registry } from 'prom-client';
import type { JournalOutcome } from '../core/recovery/restore-journal';
import type { ObjectiveCheck } from '../core/recovery/types';

/** What Prometheus sees of the capability `recovery`. No tenant in a label: their number has no bound. */
export class RecoveryMetrics {
  private readonly operations: Counter<'kind' | 'outcome'>;
  private readonly steps: Histogram<'step' | 'result'>;
  private readonly breaches: Counter<'objective' | 'tier'>;
  private readonly cleanUps: Counter<string>;

  constructor(registry: Registry) {
    this.operations = new Counter({
      name: 'chronawflow_recovery_operations_total',
      help: 'Restores, undos and cluster restores that ended, by outcome.',
      labelNames: ['kind', 'outcome'],
      registers: [registry],
    });
    this.steps = new Histogram({
      name: 'chronawflow_recovery_step_seconds',
      help: 'Time of one attempt of one step.',
      labelNames: ['step', 'result'],
      // A preview of a small tenant takes milliseconds, the scratch restore of a large cluster hours.
      buckets: [0.05, 0.25, 1, 5, 15, 60, 300, 1_800, 7_200],
      registers: [registry],
    });
    this.breaches = new Counter({
      name: 'chronawflow_recovery_objective_breaches_total',
      help: 'Restores that missed an objective of their tenant’s tier.',
      labelNames: ['objective', 'tier'],
      registers: [registry],
    });
    this.cleanUps = new Counter({
      name: 'chronawflow_recovery_clean_up_incomplete_total',
      help: 'Operations whose clean-up left something for an operator.',
      registers: [registry],
    });
  }

  step(step: string): (result: 'ok' | 'failed' | 'interrupted') => void {
    const end = this.steps.startTimer({ step });
    return (result) => {
      end({ result });
    };
  }

  ended(kind: 'restore' | 'undo' | 'cluster', outcome: JournalOutcome): void {
    this.operations.inc({ kind, outcome });
  }

  objectives(check: ObjectiveCheck): void {
    if (!check.rpoMet) this.breaches.inc({ objective: 'rpo', tier: check.tier });
    if (!check.rtoMet) this.breaches.inc({ objective: 'rto', tier: check.tier });
  }

  cleanUpIncomplete(): void {
    this.cleanUps.inc();
  }
}
