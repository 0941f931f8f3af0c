export { BreakerOpenError } from './breaker-open-error';
export { BreakerRegistry, type KeyedTransition, type RegistryOptions } from './breaker-registry';
export { type BreakerOptions, BreakerRules } from './breaker-rules';
export type { BreakerKind, BreakerState, TripReason } from './breaker-state';
export {
  type BreakerParts,
  type BreakerSnapshot,
  CircuitBreaker,
  type RecordedCall,
  type Transition,
} from './circuit-breaker';
export type { BreakerKey, KeyedBreaker } from './keyed-breaker';
