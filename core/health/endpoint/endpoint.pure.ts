/** Defaults as in Envoy's outlier detection, but for the most that may be left out, which is 10 % there. */
export interface OutlierPolicy {
  /** Failures in a row. */
  readonly failAfter: number;
  /** Out for so long the first time, twice as long the second … Milliseconds. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of the endpoints that may be out at once. */
  readonly mostOut: number;
  /** From a tenth to the whole part in this time. */
  readonly slowStartMs: number;
}

/** Source: Envoy, "Outlier detection" (5 consecutive errors, 30 s, 300 s) and "Slow start mode" (at least 10 %). */
export const DEFAULT_OUTLIER: OutlierPolicy = {
  failAfter: 5,
  baseMs: 30_000,
  maxMs: 300_000,
  mostOut: 0.5,
  slowStartMs: 30_000,
};

const LEAST_WEIGHT = 0.1;
/** Weight of the newest time in the average; a slow answer counts at once. */
const NEWEST = 0.2;

export interface EndpointState {
  readonly inFlight: number;
  /** Average time of an answer; 1 before the first. */
  readonly averageMs: number;
  readonly failures: number;
  readonly outUntil: number;
  readonly timesOut: number;
  /** Since when it takes part. */
  readonly backAt: number;
}

export function newEndpoint(now: number): EndpointState {
  return { inFlight: 0, averageMs: 1, failures: 0, outUntil: now, timesOut: 0, backAt: now };
}

export function isOut(state: EndpointState, now: number): boolean {
  return now < state.outUntil;
}

/** Its part of the traffic beside one that has been there for long: from 0.1 to 1. */
export function weight(state: EndpointState, now: number, policy: OutlierPolicy): number {
  const since = now - Math.max(state.backAt, state.outUntil);
  return Math.min(1, Math.max(LEAST_WEIGHT, since / policy.slowStartMs));
}

/** What it would cost to ask it: expected time with one more in flight. Lower is better. */
export function cost(state: EndpointState, now: number, policy: OutlierPolicy): number {
  return ((state.inFlight + 1) * state.averageMs) / weight(state, now, policy);
}

export function answered(
  state: EndpointState,
  outcome: { readonly ok: boolean; readonly ms: number },
  now: number,
  policy: OutlierPolicy,
  /** Whether one more may be left out. */
  mayLeave: boolean,
): EndpointState {
  const ms = Math.max(0.001, outcome.ms);
  const averageMs = ms > state.averageMs ? ms : state.averageMs + (ms - state.averageMs) * NEWEST;
  const inFlight = Math.max(0, state.inFlight - 1);
  if (outcome.ok) {
    const wellForLong = now - state.outUntil > policy.maxMs;
    return { ...state, inFlight, averageMs, failures: 0, timesOut: wellForLong ? 0 : state.timesOut };
  }
  const failures = state.failures + 1;
  if (failures < policy.failAfter || isOut(state, now) || !mayLeave)
    return { ...state, inFlight, averageMs, failures };
  const out = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(state.timesOut, 30));
  return { ...state, inFlight, averageMs, failures: 0, outUntil: now + out, timesOut: state.timesOut + 1 };
}
