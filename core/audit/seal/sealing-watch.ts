import type { Pool } from 'pg';
import { METRIC, type Metrics, sharedMetrics } from '../../metrics';
import { type Repeated, repeat } from '../../repeat';
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
  private readonly looks: Repeated;

  constructor(
    private readonly platform: Pool,
    { everyMs = 5_000, metrics = sharedMetrics, onError }: SealingWatchOptions = {},
  ) {
    this.looks = repeat(everyMs, () => this.look(), onError);
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
    this.looks.start();
  }

  async close(): Promise<void> {
    for (const stop of this.stops) stop();
    await this.looks.stop();
  }

  /** What waited when the database was last asked has waited ever since, as far as this process knows. */
  private waitingMs(): number {
    const { events, oldestMs, at } = this.seen;
    return events === 0 ? 0 : oldestMs + performance.now() - at;
  }

  private async look(): Promise<void> {
    this.seen = { ...(await countUnsealed(this.platform)), at: performance.now() };
  }
}
