import { type CounterFamily, METRIC, type Metrics, sharedMetrics } from '../core/metrics';

/** What Prometheus hears of escalations. */
export class EscalationMetrics {
  private readonly pages: CounterFamily<'level' | 'outcome'>;
  private readonly ends: CounterFamily<'state'>;

  constructor(metrics: Metrics = sharedMetrics) {
    this.pages = metrics.counter({
      name: METRIC.pages,
      help: 'Tries to tell a channel of a level.',
      labels: ['level', 'outcome'],
    });
    this.ends = metrics.counter({
      name: METRIC.escalationEnds,
      help: 'Escalations that ended, by how.',
      labels: ['state'],
    });
  }

  page(level: number): (outcome: 'sent' | 'failed') => void {
    return (outcome) => this.pages.inc({ level: String(level), outcome });
  }

  ended(state: string): void {
    this.ends.inc({ state });
  }
}
