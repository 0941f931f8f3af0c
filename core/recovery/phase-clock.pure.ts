import type { RestorePhase } from './types';

/** Which phase a run is in since when, and how long the ones before took. Times in milliseconds of one clock. */
export interface PhaseClock {
  readonly phase: RestorePhase;
  readonly since: number;
  readonly startedAt: number;
  readonly steps: readonly { readonly phase: RestorePhase; readonly ms: number }[];
}

export function startClock(now: number): PhaseClock {
  return { phase: 'starting', since: now, startedAt: now, steps: [] };
}

/** Ends the current phase and begins the next; entering the phase one is in changes nothing. */
export function enterPhase(clock: PhaseClock, phase: RestorePhase, now: number): PhaseClock {
  if (clock.phase === phase) return clock;
  return {
    ...clock,
    phase,
    since: now,
    steps: [...clock.steps, { phase: clock.phase, ms: now - clock.since }],
  };
}

/** Time from the start until now without the time spent waiting for people. */
export function workingMs(clock: PhaseClock, now: number): number {
  const waited = [...clock.steps, { phase: clock.phase, ms: now - clock.since }]
    .filter((step) => step.phase === 'awaiting-approval')
    .reduce((sum, step) => sum + step.ms, 0);
  return now - clock.startedAt - waited;
}
