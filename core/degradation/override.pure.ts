import { change } from './change.pure';
import type { Decision, LevelState, Override } from './types';

/** A level set by hand holds until its end, whatever signals say. */
export function override(state: LevelState, wanted: Override): Decision {
  const { rank: to, by, reason } = wanted;
  return change({ ...state, override: wanted }, { to, direction: 'override', reason, by });
}

/** Gives the level back to the controller; it goes on from where it is. */
export function release(state: LevelState, by: string, reason: string): Decision {
  const { override: _, ...released } = state;
  return change(released, { to: state.rank, direction: 'release', reason, by });
}
