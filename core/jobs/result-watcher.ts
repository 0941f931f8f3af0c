import type { Pool } from 'pg';
import { refText } from './store/columns.pure';
import { type JobEnd, readEnds } from './store/read-ends';
import type { JobRef } from './types';

/** Pause between two looks, growing while nothing ends. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
/** Jobs asked about in one statement. */
const AT_ONCE = 1_000;

type Ended = Exclude<JobEnd, { readonly kind: 'open' }>;

interface Awaited {
  readonly ref: JobRef;
  readonly waiters: { resolve(end: Ended): void; reject(error: unknown): void }[];
}

/** Waits for jobs' ends: one statement looks for all that this process waits for. */
export class ResultWatcher {
  private readonly awaited = new Map<string, Awaited>();
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = FIRST_PAUSE_MS;

  constructor(private readonly pool: Pool) {}

  /** @throws what the database throws */
  ended(ref: JobRef): Promise<Ended> {
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
    const entries = [...this.awaited].slice(0, AT_ONCE);
    try {
      const refs = entries.map(([, entry]) => entry.ref);
      const ends = await readEnds(this.pool, refs);
      let answered = 0;
      for (const [index, [text, entry]] of entries.entries()) {
        const end = ends[index];
        this.awaited.delete(text);
        // Who is still open goes to the end, so that more than a statement's worth all get their turn.
        if (end === undefined || end.kind === 'open') this.awaited.set(text, entry);
        else {
          answered += 1;
          for (const waiter of entry.waiters) waiter.resolve(end);
        }
      }
      this.pauseMs = answered > 0 ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, this.pauseMs * 1.5);
    } catch (error) {
      for (const [text, { waiters }] of entries) {
        this.awaited.delete(text);
        for (const waiter of waiters) waiter.reject(error);
      }
    }
  }
}
