export { GlobalRateLimits, type GlobalRateLimitsOptions, type LeaseStatistics } from './global-rate-limits';
export type { GlobalLimits, LeaseAnswer, LeasedMeter } from './leased-meter';
export { type GlobalRule, globalRule } from './slots.pure';
