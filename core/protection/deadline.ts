import { NEVER } from './abort';
import { monotonicMs } from './monotonic-clock';

/**
 * A deadline travels with the signal that is aborted when it passes: whoever hands the signal on hands on what is left.
 * (AsyncLocalStorage would do without the signal, but slows every promise of the process on Node 20.)
 */
const deadlines = new WeakMap<AbortSignal, number>();

/** Monotonic milliseconds; undefined without a deadline. */
export function deadlineOf(signal: AbortSignal): number | undefined {
  return signal === NEVER ? undefined : deadlines.get(signal);
}

export function setDeadline(signal: AbortSignal, deadline: number): void {
  deadlines.set(signal, deadline);
}

/** Milliseconds until the signal's deadline, for a request's header; Infinity without one, never less than 0. */
export function remainingMs(signal: AbortSignal): number {
  const deadline = deadlineOf(signal);
  return deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(0, deadline - monotonicMs());
}
