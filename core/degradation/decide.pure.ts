import { change } from './change.pure';
import { release } from './override.pure';
import { stepReadOnly } from './read-only.pure';
import type { Decision, LevelState, Policy, Readings, Sample, SignalRule } from './types';
import { budgetLeft, keeping, recentRecoveries, remainingDwell } from './way-back.pure';
import { sinceLastLook, worstReadings } from './worst-readings.pure';

/** A controller decides late now and then; time beyond so many intervals was not watched and does not count. */
const WATCHED_INTERVALS = 2;

/** A scope that nobody has decided about yet. */
export const INITIAL_STATE: LevelState = {
  rank: 0,
  version: 0,
  clockMs: 0,
  sinceMs: 0,
  recoveries: [],
  seen: [],
};

/** What the next level is, from all that instances saw since the last decision. @param now milliseconds since the epoch, of the clock that ages are by */
export function decide(policy: Policy, state: LevelState, samples: Iterable<Sample>, now: number): Decision {
  const readings = worstReadings(policy, samples, sinceLastLook(policy, state.at, now));
  return decideFrom(policy, state, readings, now);
}

/** The same from what they see together; at most one change at a time, that of the level first. */
export function decideFrom(policy: Policy, before: LevelState, readings: Readings, now: number): Decision {
  const state = watched(policy, before, readings, now);
  const level = stepLevel(policy, state, readings, now);
  return level.transition === undefined ? stepReadOnly(policy, level.state, readings, now) : level;
}

function stepLevel(policy: Policy, state: LevelState, readings: Readings, now: number): Decision {
  if (state.override !== undefined) {
    // Calm counts on meanwhile, so that a level that was set for longer than it was needed does not last a dwell more.
    if (now < state.override.until) return { state: calmed(policy, state, readings) };
    const { override: ended, ...released } = state;
    const next = stepLevel(policy, released, readings, now);
    return next.transition === undefined ? release(next.state, ended.by, 'its time is over') : next;
  }
  const worst = worstRank(policy, readings);
  if (worst !== undefined && worst.rank > state.rank)
    return change(state, { to: worst.rank, direction: 'escalation', reason: describe(worst.rule, readings) });
  const calm = calmed(policy, state, readings);
  if (remainingDwell(policy, calm) > 0 || budgetLeft(policy, calm) === 0) return { state: calm };
  return change(
    { ...calm, recoveries: [...recentRecoveries(calm), calm.clockMs] },
    { to: calm.rank - 1, direction: 'recovery', reason: `well for ${seconds(policy.dwellMs)}` },
  );
}

/** Counts the time since the last decision, as far as it was watched, and which signals were heard. */
function watched(policy: Policy, state: LevelState, readings: Readings, now: number): LevelState {
  const passed = state.at === undefined ? 0 : now - state.at;
  const step = Math.min(Math.max(0, passed), WATCHED_INTERVALS * policy.intervalMs);
  const heard = Object.keys(readings).filter((signal) => !state.seen.includes(signal));
  const seen = heard.length === 0 ? state.seen : [...state.seen, ...heard].sort();
  return { ...state, clockMs: state.clockMs + step, at: now, seen };
}

function calmed(policy: Policy, state: LevelState, readings: Readings): LevelState {
  // Silence of everything says nothing, even where no signal of this level was ever heard.
  const silent = Object.keys(readings).length === 0;
  if (state.rank > 0 && !silent && keeping(policy, state, readings).length === 0)
    return { ...state, calmSinceMs: state.calmSinceMs ?? state.clockMs };
  const { calmSinceMs: _, ...kept } = state;
  return kept;
}

function worstRank(
  policy: Policy,
  readings: Readings,
): { readonly rank: number; readonly rule: SignalRule } | undefined {
  for (let rank = policy.levels.length - 1; rank > 0; rank -= 1) {
    const rule = policy.levels[rank]?.when.find(({ signal, worse, enter }) => {
      const value = readings[signal]?.value;
      return value !== undefined && (worse === 'higher' ? value >= enter : value <= enter);
    });
    if (rule !== undefined) return { rank, rule };
  }
  return undefined;
}

function describe({ signal, worse, enter }: SignalRule, readings: Readings): string {
  const value = readings[signal]?.value ?? Number.NaN;
  return `${signal} is ${Number(value.toPrecision(4))}, ${worse === 'higher' ? 'at or above' : 'at or below'} ${enter}`;
}

const seconds = (ms: number) => `${Number((ms / 1_000).toPrecision(4))} s`;
