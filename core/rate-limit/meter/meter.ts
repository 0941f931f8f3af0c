/**
 * Counts what one key admitted. Times are milliseconds of a monotonic clock; a time before the last one counts as the
 * last one. `scale` is the share of the limit that is open now, 1 unless the rule is adaptive.
 */
export interface Meter {
  /** Takes `cost` when it fits, or nothing. */
  tryTake(now: number, cost: number, scale: number): boolean;
  /** What would be admitted now. */
  remaining(now: number, scale: number): number;
  /** What counts against the limit now. */
  spent(now: number): number;
  /** Milliseconds until `cost` fits when nothing else is admitted; Infinity when it never will. */
  retryAfter(now: number, cost: number, scale: number): number;
  /** Milliseconds until everything admitted so far is forgotten. */
  resetAfter(now: number): number;
}
