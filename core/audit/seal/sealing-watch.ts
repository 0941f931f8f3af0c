import type { Pool } from 'pg';
import { METRIC, type Metrics, sharedMetrics } from '../../metrics';
import { countUnsealed } from '../verify/place-of-sealing';

export interface SealingWatchOptions {
  /** Default 5 s. */
  readonly everyMs?: number;
  /** Default: the process's shared metrics. */
  readonly metrics?: Metrics;
  readonly onError?: (error: unknown) => void;
}

/**
 * Shows how many events no checkpoint covers yet, and for how long the oldest of them: what an administrator of the database could
 * still change unseen. Workers show it as well, because a sealer that is gone shows nothing.
 */
export class SealingWatch {
  private seen = { events: 0, oldestMs: 0, at: performance.now() };
  private readonly stops: readonly (() => void)[];
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly platform: Pool,
    private readonly options: SealingWatchOptions = {},
  ) {
    const metrics = options.metrics ?? sharedMetrics;
    const events = metrics.gauge({
      name: METRIC.auditUnsealed,
      help: 'Audit events that no checkpoint covers yet.',
      merge: 'max',
    });
    const seconds = metrics.gauge({
      name: METRIC.auditUnsealedSeconds,
      help: 'How long the oldest audit event that is not sealed has waited; 0 when there is none.',
      merge: 'max',
    });
    this.stops = [
      events.collectFrom(() => [{ labels: {}, value: this.seen.events }]),
      seconds.collectFrom(() => [{ labels: {}, value: this.waitingMs() / 1_000 }]),
    ];
  }

  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), this.options.everyMs ?? 5_000);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const stop of this.stops) stop();
    await this.looking;
  }

  /** What waited when the database was last asked has waited ever since, as far as this process knows. */
  private waitingMs(): number {
    const { events, oldestMs, at } = this.seen;
    return events === 0 ? 0 : oldestMs + performance.now() - at;
  }

  private look(): void {
    this.looking ??= countUnsealed(this.platform)
      .then(({ events, oldestMs }) => {
        this.seen = { events, oldestMs, at: performance.now() };
      })
      .catch((error: unknown) => this.options.onError?.(error))
      .finally(() => {
        this.looking = undefined;
      });
  }
}
