export { AdaptiveRateLimiter } from './adaptive-rate-limiter';
export {
  endFloor,
  leaseFloor,
  RateLimitConfiguration,
  type RateLimitConfigurationOptions,
} from './configuration';
export { ConfiguredRateLimits, type ConfiguredRateLimitsOptions } from './configured-rate-limits';
export type { Decision, DecisionReason } from './decision';
export { RateLimitedError } from './errors/rate-limited-error';
export {
  type GlobalLimits,
  GlobalRateLimits,
  type GlobalRateLimitsOptions,
  type LeaseAnswer,
  type LeasedMeter,
  type LeaseStatistics,
} from './global';
export {
  HEADERS_DRAFT,
  type RateLimitHookOptions,
  rateLimitHeaders,
  rateLimitHook,
  rateLimitMiddleware,
} from './http';
export type { RateLimiterOptions } from './options';
export type { BaseRule, Rule, RuleInput } from './rule';
export type { RulesInput } from './tenant-rules';
