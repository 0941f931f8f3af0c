export { canonicalJson } from '../canonical-json';
export { ExecutionFencedError } from './errors/execution-fenced-error';
export { ExecutionRunningError } from './errors/execution-running-error';
export { IdempotencyKeyReusedError } from './errors/idempotency-key-reused-error';
export { fingerprint } from './fingerprint';
export * from './http';
export { IdempotencyManager, type IdempotencyOptions } from './idempotency-manager';
export type {
  CheckAnswer,
  Execution,
  IdempotencyEvent,
  IdempotencyRef,
  Json,
  StartAnswer,
} from './types';
