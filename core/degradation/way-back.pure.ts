import { rankOf } from './policy.pure';
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

/** How many levels a publication steps back from what stands. What a person sets is no step of the way back. */
export function stepsBack(
  policy: Policy,
  standing: { readonly level: string; readonly rank: number },
  { rank, override }: Pick<LevelState, 'rank' | 'override'>,
): number {
  return override === undefined ? Math.max(0, standingRank(policy, standing) - rank) : 0;
}

/** Under a changed policy the level of this name may have another rank. */
export function standingRank(
  policy: Policy,
  { level, rank }: { readonly level: string; readonly rank: number },
): number {
  return rankOf(policy, level) ?? Math.min(rank, policy.levels.length - 1);
}

/**
 * How long until so many steps back are within the hour's budget; 0 when they are. More at once than the budget has, as after a
 * policy was changed, wait for an hour without any.
 *
 * @param recoveredAt when steps back were published, the oldest first, by the clock of `now`
 */
export function budgetFreeInMs(
  policy: Policy,
  recoveredAt: readonly number[],
  steps: number,
  now: number,
): number {
  if (steps === 0) return 0;
  const recent = recoveredAt.filter((at) => now - at < HOUR_MS);
  const over = Math.min(recent.length + steps - policy.recoveriesPerHour, recent.length);
  const lastToPass = recent[over - 1];
  return lastToPass === undefined ? 0 : lastToPass + HOUR_MS - now;
}
