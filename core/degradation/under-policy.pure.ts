import { rankOf } from './policy.pure';
import type { LevelState, Policy } from './types';

/**
 * The state under a changed policy: the level of the same name, else the hardest that is not beyond its rank. The version stays:
 * nothing changes for processes before the next decision.
 */
export function underPolicy(before: Policy | undefined, after: Policy, state: LevelState): LevelState {
  const name = before?.levels[state.rank]?.name;
  const same = name === undefined ? undefined : rankOf(after, name);
  return { ...state, rank: same ?? Math.min(state.rank, after.levels.length - 1) };
}
