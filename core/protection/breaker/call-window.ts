/** What a breaker remembers of its latest calls. */
export interface CallWindow {
  /** As of the last `record` or `advance`. */
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
  record(failed: boolean, slow: boolean, now: number): void;
  /** Forgets what is too old. */
  advance(now: number): void;
  /** Forgets everything and gives its memory back. */
  clear(): void;
}
