import { RefusalError } from '../../errors';
import type { BreakerState } from './breaker-state';

/** A breaker turned the call away; it was not made. */
export class BreakerOpenError extends RefusalError {
  readonly code = 'BREAKER_OPEN';
  /** Until a call may pass, in milliseconds as far as that is known; Infinity while the breaker is isolated. */
  readonly retryAfterMs: number;

  constructor(breaker: { readonly name: string }, state: BreakerState, now: number) {
    const retryAfterMs = retryAfter(state, now);
    super(() => describe(breaker.name, state, retryAfterMs), {
      details: { state: state.kind, retryAfterMs },
    });
    this.retryAfterMs = retryAfterMs;
  }
}

function retryAfter(state: BreakerState, now: number): number {
  if (state.kind === 'isolated') return Number.POSITIVE_INFINITY;
  return state.kind === 'open' ? Math.max(0, state.until - now) : 0;
}

function describe(name: string, state: BreakerState, retryAfterMs: number): string {
  const why = 'why' in state ? state.why : 'reason' in state ? state.reason : 'it has just closed';
  const wait =
    retryAfterMs > 0 && state.kind === 'open' ? `; try again in ${Math.ceil(retryAfterMs)} ms` : '';
  return `${name}: no call passes, the breaker is ${state.kind} (${why})${wait}.`;
}
