import type { BreakerRules } from './breaker-rules';
import type { CallWindow } from './call-window';
import { CountWindow } from './count-window';
import { RingMemory } from './ring-memory';
import { TimeWindow } from './time-window';

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
