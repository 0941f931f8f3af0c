import { change } from './change.pure';
import type { Decision, LevelState, Policy, Readings, ReadOnly } from './types';

/** 1 where the application's database refuses writes, 0 where it takes them. */
export const READ_ONLY_SIGNAL = 'read-only';

/** Who set it when nobody did. */
export const DATABASE = 'database';

/** A database that takes writes again may be in the middle of a failover: it has to do so for this many intervals. */
const WRITABLE_INTERVALS = 3;

/**
 * Read only is no step of the ladder: it begins when the database itself refuses writes, and ends when it takes them again;
 * one that a person set ends with its time or by hand.
 */
export function stepReadOnly(policy: Policy, state: LevelState, readings: Readings, now: number): Decision {
  const { readOnly } = state;
  const refused = readings[READ_ONLY_SIGNAL];
  if (readOnly === undefined) {
    if (refused === undefined || refused.value < 0.5) return { state };
    return setReadOnly(state, { by: DATABASE, reason: 'the database refuses writes' });
  }
  if (readOnly.by !== DATABASE) {
    return readOnly.until !== undefined && now >= readOnly.until
      ? endReadOnly(state, readOnly.by, 'its time is over')
      : { state };
  }
  if (refused === undefined || refused.value >= 0.5) {
    const { writableSinceMs: _, ...still } = state;
    return { state: still };
  }
  const since = state.writableSinceMs ?? state.clockMs;
  return state.clockMs - since >= WRITABLE_INTERVALS * policy.intervalMs
    ? endReadOnly(state, DATABASE, 'the database takes writes again')
    : { state: { ...state, writableSinceMs: since } };
}

export function setReadOnly(state: LevelState, readOnly: ReadOnly): Decision {
  const { by, reason } = readOnly;
  const { writableSinceMs: _, ...rest } = state;
  return change({ ...rest, readOnly }, { to: state.rank, direction: 'read-only', reason, by });
}

export function endReadOnly(state: LevelState, by: string, reason: string): Decision {
  const { readOnly: _, writableSinceMs: __, ...writable } = state;
  return change(writable, { to: state.rank, direction: 'writable', reason, by });
}
