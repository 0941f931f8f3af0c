import type { BreakerRules } from './breaker-rules';
import { CountWindow } from './count-window';
import { RingMemory } from './ring-memory';
import { TimeWindow } from './time-window';

/** What a breaker remembers of its latest calls. */
export interface CallWindow {
  /** As of the last `record` or `advance`. */
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
  record(failed: boolean, slow: boolean, now: number): void;
  /** Forgets what is too old. */
  advance(now: number): void;
  /** Forgets everything and gives its memory back. */
  clear(): void;
}

/** Makes windows that share memory. @param together About how many there will be. */
export function windowsFor(window: BreakerRules['window'], together = 1): () => CallWindow {
  const ringsPerChunk = Math.min(1_024, together);
  if ('calls' in window) {
    const memory = new RingMemory((length) => new Uint8Array(length), window.calls, ringsPerChunk);
    return () => new CountWindow(memory);
  }
  const { buckets, duration } = window;
  const memory = new RingMemory((length) => new Uint32Array(length), buckets * 3, ringsPerChunk);
  return () => new TimeWindow(memory, duration / buckets);
}
