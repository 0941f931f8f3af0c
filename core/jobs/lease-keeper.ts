import type { Pool } from 'pg';
import type { StepLog } from './log';
import type { BeginRequest } from './store/begin-attempts';
import { renewLeases } from './store/renew-leases';
import type { JobProgress } from './types';

/** Aborts when the permit is lost. */
export interface HeldPermit {
  readonly lost: AbortSignal;
  /** How far the attempt is; told with the next renewal. */
  progress(progress: JobProgress): void;
  /** No longer renewed; whoever still uses it is fenced when it lapses. */
  letGo(): void;
}

interface Held {
  readonly attempt: BeginRequest;
  readonly controller: AbortController;
  /** By this process's monotonic clock: when the last renewal that succeeded was asked for. */
  renewedAt: number;
  progress?: JobProgress;
}

/** Renewals per lease: two may get lost. */
const RENEWALS = 3;

/**
 * Renews the permits of all attempts in this process, in one statement. A permit that the database no longer knows, or
 * whose renewals failed for a whole lease, is lost: the attempt is told, so that its code stops.
 */
export class LeaseKeeper {
  private readonly held = new Map<string, Held>();
  private readonly timer: NodeJS.Timeout;
  private renewing = false;

  constructor(
    private readonly pool: Pool,
    private readonly leaseMs: number,
    private readonly log: StepLog,
  ) {
    this.timer = setInterval(() => void this.renew(), leaseMs / RENEWALS);
    this.timer.unref();
  }

  /** @param since `performance.now()` from before the statement that took the permit */
  hold(attempt: BeginRequest, since: number): HeldPermit {
    const controller = new AbortController();
    const held: Held = { attempt, controller, renewedAt: since };
    this.held.set(attempt.owner, held);
    return {
      lost: controller.signal,
      progress: (progress) => {
        held.progress = progress;
      },
      letGo: () => void this.held.delete(attempt.owner),
    };
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async renew(): Promise<void> {
    this.dropLapsed();
    if (this.renewing || this.held.size === 0) return;
    this.renewing = true;
    const asked = performance.now();
    const attempts = [...this.held.values()];
    try {
      const kept = await renewLeases(
        this.pool,
        attempts.map(({ attempt, progress }) => ({ ...attempt, progress })),
        this.leaseMs,
      );
      for (const held of attempts) {
        if (kept.has(held.attempt.owner)) held.renewedAt = asked;
        else this.lose(held);
      }
    } catch (error) {
      this.log.warn({ err: error, attempts: attempts.length }, 'job permits could not be renewed');
    } finally {
      this.renewing = false;
    }
  }

  private dropLapsed(): void {
    const oldest = performance.now() - this.leaseMs;
    for (const held of this.held.values()) if (held.renewedAt <= oldest) this.lose(held);
  }

  private lose(held: Held): void {
    // An attempt that ended meanwhile let its permit go.
    if (!this.held.delete(held.attempt.owner)) return;
    held.controller.abort();
  }
}
