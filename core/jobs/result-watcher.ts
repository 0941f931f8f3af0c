import type { Pool } from 'pg';
import { JobNotFoundError } from './errors/job-not-found-error';
import { refText } from './store/columns.pure';
import { readJobs } from './store/look';
import type { JobRef, JobStatus } from './types';

const ENDED: readonly JobStatus['state'][] = ['done', 'dead', 'cancelled'];

/** Pause between two looks, growing while nothing ends. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
/** Jobs asked about in one statement. */
const AT_ONCE = 1_000;

interface Awaited {
  readonly ref: JobRef;
  readonly waiters: { resolve(status: JobStatus): void; reject(error: unknown): void }[];
}

/** Waits for jobs' ends: one statement looks for all that this process waits for. */
export class ResultWatcher {
  private readonly awaited = new Map<string, Awaited>();
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = FIRST_PAUSE_MS;

  constructor(private readonly pool: Pool) {}

  /** @throws JobNotFoundError, and what the database throws */
  ended(ref: JobRef): Promise<JobStatus> {
    return new Promise((resolve, reject) => {
      const text = refText(ref);
      const entry = this.awaited.get(text) ?? { ref, waiters: [] };
      entry.waiters.push({ resolve, reject });
      this.awaited.set(text, entry);
      this.pauseMs = FIRST_PAUSE_MS;
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.timer !== undefined || this.awaited.size === 0) return;
    this.timer = setTimeout(() => {
      void this.look().finally(() => {
        this.timer = undefined;
        this.schedule();
      });
    }, this.pauseMs);
  }

  private async look(): Promise<void> {
    const entries = [...this.awaited.values()].slice(0, AT_ONCE);
    try {
      const found = new Map(
        (
          await readJobs(
            this.pool,
            entries.map((entry) => entry.ref),
          )
        ).map((status) => [refText(status), status]),
      );
      const before = this.awaited.size;
      for (const entry of entries) this.answer(entry, found.get(refText(entry.ref)));
      this.pauseMs =
        this.awaited.size < before ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, this.pauseMs * 1.5);
    } catch (error) {
      for (const { waiters, ref } of entries) {
        this.awaited.delete(refText(ref));
        for (const waiter of waiters) waiter.reject(error);
      }
    }
  }

  private answer({ ref, waiters }: Awaited, status: JobStatus | undefined): void {
    const text = refText(ref);
    if (status !== undefined && !ENDED.includes(status.state)) {
      // The longest asked goes to the end, so that more than a statement's worth all get their turn.
      const entry = this.awaited.get(text);
      this.awaited.delete(text);
      if (entry !== undefined) this.awaited.set(text, entry);
      return;
    }
    this.awaited.delete(text);
    for (const waiter of waiters) {
      if (status === undefined) waiter.reject(new JobNotFoundError(ref));
      else waiter.resolve(status);
    }
  }
}
