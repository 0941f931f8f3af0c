export * from './breaker';
export type { Clock } from './monotonic-clock';
export type { Policy, Protected } from './policy';
export { TimeoutExceededError } from './timeout/timeout-exceeded-error';
