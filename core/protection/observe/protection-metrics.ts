import { METRIC, type Metrics, sharedMetrics } from '../../metrics';
import type { BreakerRegistry } from '../breaker';
import type { Bulkhead } from '../bulkhead';

/**
 * What Prometheus sees of breakers, bulkheads and fallbacks. Tenants are no label: the gauge of breakers shows the one
 * that has been away from closed for longest, and the audit log names each.
 */
export class ProtectionMetrics {
  constructor(private readonly metrics: Metrics = sharedMetrics) {}

  /** @returns how to stop */
  watchBreakers(registry: BreakerRegistry): () => void {
    const transitions = this.metrics.counter({
      name: METRIC.breakerTransitions,
      help: 'Changes of state of breakers, by the state that was entered.',
      labels: ['service', 'operation', 'to'],
    });
    const stopCounting = registry.onTransition(({ key: { service, operation }, to }) => {
      transitions.inc({ service, operation, to: to.kind });
    });
    const stopCollecting = this.metrics
      .gauge({
        name: METRIC.breakerNotClosedSeconds,
        help: 'Seconds since the breaker was last closed; 0 while it is closed. The longest of all tenants.',
        labels: ['service', 'operation'],
        merge: 'max',
      })
      .collectFrom(function* () {
        for (const breaker of registry.notClosed()) {
          const { service, operation } = breaker.key;
          yield { labels: { service, operation }, value: breaker.getState().notClosedForMs / 1_000 };
        }
      });
    return () => {
      stopCounting();
      stopCollecting();
    };
  }

  /** Shows how many calls run, may run and wait; the first ÷ the second is its utilisation. @returns how to stop */
  watchBulkhead(bulkhead: Bulkhead): () => void {
    const labels = { bulkhead: bulkhead.name };
    const stops = [
      this.metrics
        .gauge({
          name: METRIC.bulkheadInUse,
          help: 'Calls that have a place.',
          labels: ['bulkhead'],
          merge: 'sum',
        })
        .collectFrom(() => [{ labels, value: bulkhead.getState().running }]),
      this.metrics
        .gauge({
          name: METRIC.bulkheadPlaces,
          help: 'Calls that may have a place at a time.',
          labels: ['bulkhead'],
          merge: 'sum',
        })
        .collectFrom(() => [{ labels, value: bulkhead.getState().concurrency }]),
      this.metrics
        .gauge({
          name: METRIC.bulkheadQueued,
          help: 'Calls that wait for one.',
          labels: ['bulkhead'],
          merge: 'sum',
        })
        .collectFrom(() => [{ labels, value: bulkhead.getState().waiting }]),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** For `onAnswer` of a fallback: counts which level answered. */
  fallbackAnswered(target: { readonly service: string; readonly operation: string }) {
    const answers = this.metrics.counter({
      name: METRIC.fallbackAnswers,
      help: 'Answers, by the level that gave them; primary is the call itself.',
      labels: ['service', 'operation', 'level'],
    });
    return ({ level }: { readonly level: string }) => answers.inc({ ...target, level });
  }
}
