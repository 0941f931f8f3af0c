import type { LevelState, Policy, Readings, SignalRule } from './types';

const HOUR_MS = 3_600_000;

/** Milliseconds that still have to be watched before the next step back; Infinity while something keeps the level. */
export function remainingDwell(policy: Policy, state: LevelState): number {
  if (state.rank === 0 || state.calmSinceMs === undefined) return Number.POSITIVE_INFINITY;
  const begin = Math.max(state.calmSinceMs, state.sinceMs);
  return Math.max(0, begin + policy.dwellMs - state.clockMs);
}

/** Steps back that are still free within the hour. */
export function budgetLeft(policy: Policy, state: LevelState): number {
  return Math.max(0, policy.recoveriesPerHour - recentRecoveries(state).length);
}

/** The rules that keep the level: not yet well again, or silent though they have been heard before. */
export function keeping(
  policy: Policy,
  state: Pick<LevelState, 'rank' | 'seen'>,
  readings: Readings,
): readonly SignalRule[] {
  const rules = policy.levels[state.rank]?.when ?? [];
  return rules.filter((rule) => {
    const reading = readings[rule.signal];
    if (reading === undefined) return state.seen.includes(rule.signal);
    return rule.worse === 'higher' ? reading.value > rule.leave : reading.value < rule.leave;
  });
}

/** On the watched clock, within the last hour. */
export function recentRecoveries(state: LevelState): readonly number[] {
  return state.recoveries.filter((at) => state.clockMs - at < HOUR_MS);
}
