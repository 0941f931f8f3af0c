import { decide, INITIAL_STATE } from '../decide.pure';
import type { LevelState, Policy, Sample, Transition } from '../types';

/** What one instance saw of one signal at one time, milliseconds since the epoch. */
export interface SeriesPoint {
  readonly at: number;
  readonly signal: string;
  readonly instance: string;
  readonly value: number;
}

/** The level after one decision. */
export interface SimulatedStep {
  readonly at: number;
  readonly state: LevelState;
  readonly transition?: Transition;
}

/**
 * The levels that a recorded series leads to: one decision each interval from the first point to the last, by all points that
 * were not stale then. The controller decides by the same function.
 *
 * @param points by time, the oldest first.
 */
export function* simulate(
  policy: Policy,
  points: readonly SeriesPoint[],
  begin: LevelState = INITIAL_STATE,
): Generator<SimulatedStep> {
  const first = points[0]?.at;
  const last = points.at(-1)?.at;
  if (first === undefined || last === undefined) return;
  let state = begin;
  let oldest = 0;
  let next = 0;
  for (let now = first; now < last + policy.intervalMs; now += policy.intervalMs) {
    while ((points[next]?.at ?? Number.POSITIVE_INFINITY) <= now) next += 1;
    while (oldest < next && now - (points[oldest]?.at ?? now) > policy.staleAfterMs) oldest += 1;
    const decision = decide(policy, state, aged(points.slice(oldest, next), now), now);
    state = decision.state;
    yield { at: now, ...decision };
  }
}

function* aged(points: Iterable<SeriesPoint>, now: number): Generator<Sample> {
  for (const { at, ...point } of points) yield { ...point, ageMs: now - at };
}
