import { READ_ONLY_SIGNAL } from './read-only.pure';
import type { LevelState, Policy, Readings } from './types';
import { keeping } from './way-back.pure';

/** When a look has last seen each of these, in milliseconds since the epoch by the database's clock. */
export type Evidence = Readonly<Record<string, number>>;

/** Something keeps the level: a signal that is not well, or silent. */
export const KEPT = 'kept';
/** The database refuses writes. */
export const REFUSES_WRITES = 'refuses-writes';
/** The database takes writes. */
export const TAKES_WRITES = 'takes-writes';

/** A signal that calls for this level. */
export function calledFor(level: string): string {
  return `level/${level}`;
}

/** What readings say for and against a change. */
export function evidenceOf(
  policy: Policy,
  state: Pick<LevelState, 'rank' | 'seen' | 'readOnly'>,
  readings: Readings,
): string[] {
  const called = policy.levels
    .filter(({ when }) =>
      when.some(({ signal, worse, enter }) => {
        const value = readings[signal]?.value;
        return value !== undefined && (worse === 'higher' ? value >= enter : value <= enter);
      }),
    )
    .map(({ name }) => calledFor(name));
  const silent = Object.keys(readings).length === 0;
  const kept = state.rank > 0 && (silent || keeping(policy, state, readings).length > 0) ? [KEPT] : [];
  const refused = readings[READ_ONLY_SIGNAL];
  if (refused === undefined) return [...called, ...kept];
  if (refused.value >= 0.5) return [...called, ...kept, REFUSES_WRITES];
  return [...called, ...kept, ...(state.readOnly === undefined ? [] : [TAKES_WRITES])];
}
