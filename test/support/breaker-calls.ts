import type { CircuitBreaker } from '../../core/protection';

export const fail = (times: number, breaker: CircuitBreaker) => {
  for (let i = 0; i < times; i += 1) breaker.recordCall({ ok: false, durationMs: 1 });
};

export const ok = (times: number, breaker: CircuitBreaker, durationMs = 1) => {
  for (let i = 0; i < times; i += 1) breaker.recordCall({ ok: true, durationMs });
};

export const kindOf = (breaker: CircuitBreaker) => breaker.getState().state.kind;

export const reasonOf = (breaker: CircuitBreaker) => {
  const { state } = breaker.getState();
  return 'reason' in state ? state.reason : undefined;
};
