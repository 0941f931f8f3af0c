import { METRIC, type Metrics } from '../../metrics';
import type { PriorityClass } from '../types';

/** What Prometheus sees of the levels in a process. */
export class LevelMetrics {
  private readonly shed;
  private readonly stops: (() => void)[];

  /** @param scopes scope → rank in force here, and whether its controller is silent. */
  constructor(
    metrics: Metrics,
    scopes: () => readonly { readonly scope: string; readonly rank: number; readonly silent: boolean }[],
  ) {
    this.shed = metrics.counter({
      name: METRIC.degradationShed,
      help: 'Requests and jobs that the level turned away, by class and why.',
      labels: ['priority', 'why'],
    });
    const level = metrics.gauge({
      name: METRIC.degradationLevel,
      help: 'Rank of the degradation level in force in this process; 0 is normal.',
      labels: ['scope'],
      merge: 'max',
    });
    const silent = metrics.gauge({
      name: METRIC.degradationSilent,
      help: '1 while the controller has given no sign for longer than degradation.silentAfter.',
      labels: ['scope'],
      merge: 'max',
    });
    this.stops = [
      level.collectFrom(() => scopes().map(({ scope, rank }) => ({ labels: { scope }, value: rank }))),
      silent.collectFrom(() =>
        scopes().map((one) => ({ labels: { scope: one.scope }, value: one.silent ? 1 : 0 })),
      ),
    ];
  }

  turnedAway(priority: PriorityClass, why: string): void {
    this.shed.inc({ priority, why });
  }

  close(): void {
    for (const stop of this.stops) stop();
  }
}
