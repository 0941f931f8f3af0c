/**
 * `import { CircuitBreaker } from 'chronawflow/protection'`: protection inside one process. It loads neither Temporal nor pg:
 * what keeps state in the control-plane database takes a `pg` pool from its caller, or loads pg when it connects.
 */
export { type Config, ConfigInvalidError, type LoadOptions, loadConfig } from '../config';
export {
  type Admission,
  type ApplyComponent,
  type Classified,
  callSignals,
  Degradation,
  type DegradationOptions,
  healthSignals,
  type LevelView,
  type LoadSheddingHooks,
  type LoadSheddingOptions,
  loadSheddingHooks,
  loadSheddingMiddleware,
  loopSignals,
  type ProcessSample,
  type PublishedLevel,
  type QueuedAnswer,
  type SignalSource,
} from '../core/degradation';
export { ChronawflowError, type ErrorKind, InvalidInputError, RefusalError } from '../core/errors';
export {
  type Check,
  type CheckOptions,
  EndpointDrains,
  type EndpointDrainsOptions,
  EndpointSet,
  type EndpointSetOptions,
  type HealthAnswer,
  HealthMonitor,
  type HealthOptions,
  type HealthReport,
  healthAnswer,
} from '../core/health';
export { disturbanceOf, disturbedNow, followCallFaults, InjectedError } from '../core/injection-points';
export { Metrics, type MetricsOptions, sharedMetrics } from '../core/metrics';
export * from '../core/protection';
export {
  AdaptiveRateLimiter,
  ConfiguredRateLimits,
  type ConfiguredRateLimitsOptions,
  type Decision,
  type DecisionReason,
  GlobalRateLimits,
  type GlobalRateLimitsOptions,
  HEADERS_DRAFT,
  RateLimitConfiguration,
  type RateLimitConfigurationOptions,
  RateLimitedError,
  type RateLimiterOptions,
  type RateLimitHookOptions,
  type RuleInput,
  type RulesInput,
  rateLimitHeaders,
  rateLimitHook,
  rateLimitMiddleware,
} from '../core/rate-limit';
export { type TracedTarget, traced, withSpan } from '../core/tracing';
