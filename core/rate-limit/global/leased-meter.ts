import type { DecisionReason } from '../decision';
import type { GlobalRule } from './slots.pure';

/** An answer of a limit that all processes share. Units of cost and milliseconds. */
export interface LeaseAnswer {
  readonly allowed: boolean;
  /** What this process holds after the answer. */
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryAfterMs: number;
  readonly reason: DecisionReason;
}

/** One key's part of a limit over all processes. */
export interface LeasedMeter {
  readonly leased: true;
  /** At once where a lease is held or the limit is known to be exhausted; otherwise when an answer of the database has come. */
  take(cost: number, scale: number): LeaseAnswer | Promise<LeaseAnswer>;
}

/** Where an AdaptiveRateLimiter gets its leased meters; see `GlobalRateLimits`. */
export interface GlobalLimits {
  meter(key: string, rule: GlobalRule): LeasedMeter;
}
