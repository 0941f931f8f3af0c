import type { BreakerRules } from './breaker-rules';
import { type BreakerState, CLOSED, type TripReason } from './breaker-state';

/** The breaker's decisions: from a state and what happened to the next state. The same object means: no change. */

/** What is known of the calls in the window. */
export interface Counts {
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
  /** Failures since the last success. */
  readonly consecutive: number;
}

export interface Outcome {
  readonly startedAt: number;
  readonly failed: boolean;
  readonly slow: boolean;
}

/** Of the machine itself, so that every decision can be repeated. */
export interface Moment {
  readonly now: number;
  /** From 0 to 1. */
  readonly random: number;
}

/** A call asks to pass. @returns the state afterwards, and whether it may. */
export function admit(
  state: BreakerState,
  rules: BreakerRules,
  moment: Moment,
): readonly [BreakerState, boolean] {
  switch (state.kind) {
    case 'closed':
    case 'forced-closed':
      return [state, true];
    case 'isolated':
      return [state, false];
    case 'open': {
      if (moment.now < state.until) return [state, false];
      const { since, attempt, reason } = state;
      return [{ kind: 'half-open', since, attempt, reason, running: [moment.now], passed: 0 }, true];
    }
    case 'half-open': {
      if (state.running.some((startedAt) => moment.now - startedAt >= rules.probeLimit)) {
        return [open(state, 'probe-lost', rules, moment), false];
      }
      if (state.running.length >= rules.probes) return [state, false];
      return [{ ...state, running: [...state.running, moment.now] }, true];
    }
    case 'closing': {
      const share = shareOf(state, rules, moment.now);
      if (share >= 1) return [CLOSED, true];
      const credit = state.credit + share;
      return credit >= 1 ? [{ ...state, credit: credit - 1 }, true] : [{ ...state, credit }, false];
    }
  }
}

/** A call that was let pass has ended; `counts` hold it already. */
export function settle(
  state: BreakerState,
  outcome: Outcome,
  counts: Counts,
  rules: BreakerRules,
  moment: Moment,
): BreakerState {
  switch (state.kind) {
    case 'closed': {
      const reason = tripReason(counts, rules, rules.minimumCalls);
      return reason === undefined ? state : open(state, reason, rules, moment);
    }
    case 'half-open': {
      if (outcome.failed) return open(state, 'probe-failed', rules, moment);
      if (outcome.slow) return open(state, 'probe-slow', rules, moment);
      const { since, attempt, reason } = state;
      const passed = state.passed + 1;
      if (passed < rules.probes) return { ...withoutProbe(state, outcome.startedAt), passed };
      if (rules.closeOver === 0) return CLOSED;
      return { kind: 'closing', since, attempt, reason, from: moment.now, credit: 1 };
    }
    case 'closing': {
      // The window holds the probes and what was let pass since; a few calls have to be enough to judge it.
      const reason = tripReason(counts, rules, Math.min(rules.minimumCalls, rules.probes));
      if (reason !== undefined) return open(state, reason, rules, moment);
      return shareOf(state, rules, moment.now) >= 1 ? CLOSED : state;
    }
    case 'open':
    case 'isolated':
    case 'forced-closed':
      return state;
  }
}

/** A call that was let pass says nothing about the service: its caller gave up, or another guard refused it. */
export function withdraw(state: BreakerState, startedAt: number): BreakerState {
  return state.kind === 'half-open' ? withoutProbe(state, startedAt) : state;
}

/** Opens it; the break doubles as long as the breaker has not been closed in between. */
export function open(
  state: BreakerState,
  reason: TripReason,
  rules: BreakerRules,
  { now, random }: Moment,
): Extract<BreakerState, { kind: 'open' }> {
  const outage = 'attempt' in state ? state : { since: now, attempt: 0 };
  const attempt = outage.attempt + 1;
  return { kind: 'open', since: outage.since, attempt, reason, until: now + breakMs(attempt, rules, random) };
}

/** Milliseconds of the n-th break in a row. */
export function breakMs(
  attempt: number,
  rules: Pick<BreakerRules, 'breakFor' | 'breakLimit' | 'jitter'>,
  random: number,
): number {
  // 2^1023 is the largest power that a number holds; the limit is reached long before.
  const doubled = Math.min(rules.breakLimit, rules.breakFor * 2 ** Math.min(attempt - 1, 1_023));
  return doubled * (1 + rules.jitter * (2 * random - 1));
}

/** Share of calls that pass while it closes. */
export function shareOf(
  state: Extract<BreakerState, { kind: 'closing' }>,
  rules: Pick<BreakerRules, 'closeOver' | 'firstShare'>,
  now: number,
): number {
  return rules.firstShare + (1 - rules.firstShare) * Math.max(0, (now - state.from) / rules.closeOver);
}

/** The first rule that the counts break. */
export function tripReason(
  counts: Counts,
  rules: Pick<BreakerRules, 'consecutiveFailures' | 'failureRate' | 'slowRate'>,
  minimumCalls: number,
): TripReason | undefined {
  const { calls, failed, slow, consecutive } = counts;
  if (rules.consecutiveFailures > 0 && consecutive >= rules.consecutiveFailures)
    return 'consecutive-failures';
  if (calls < minimumCalls) return undefined;
  if (rules.failureRate > 0 && failed >= rules.failureRate * calls) return 'failure-rate';
  if (rules.slowRate > 0 && slow >= rules.slowRate * calls) return 'slow-rate';
  return undefined;
}

function withoutProbe(
  state: Extract<BreakerState, { kind: 'half-open' }>,
  startedAt: number,
): Extract<BreakerState, { kind: 'half-open' }> {
  const at = state.running.indexOf(startedAt);
  return at === -1 ? state : { ...state, running: state.running.toSpliced(at, 1) };
}
