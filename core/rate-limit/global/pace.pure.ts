import { STATEMENTS_PER_SECOND } from './timing.pure';

/** Between two statements of one process on one key, in milliseconds. */
export const SHORTEST_PACE_MS = 100;
const LONGEST_PACE_MS = 4_000;

/**
 * The next pause between statements from the last one and the statements that all processes sent in the last second.
 * All of them see the same number, so they slow down by the same factor.
 */
export function pace(before: number, asked: number): number {
  const next = asked > STATEMENTS_PER_SECOND ? before * (asked / STATEMENTS_PER_SECOND) : before * 0.85;
  return Math.min(LONGEST_PACE_MS, Math.max(SHORTEST_PACE_MS, next));
}
