import type { z } from 'zod';
import { breakerOptions } from '../../../config';
import { InvalidInputError } from '../../errors';
import { parseOptions } from '../parse-options';

/** Durations are `'5s'`-style text or milliseconds, rates are shares from 0 to 1. */
export type BreakerOptions = z.input<typeof breakerOptions> & {
  /** Whether an error speaks against the protected service; by default every error does. */
  readonly isFailure?: (error: unknown) => boolean;
};

type Parsed = z.output<typeof breakerOptions>;

/** Checked options, shared by all breakers of a service. Durations in milliseconds. */
export class BreakerRules {
  /** 0 stands for a rule that is off. */
  readonly consecutiveFailures: number;
  readonly failureRate: number;
  readonly slowRate: number;
  /** Infinity when the rule is off, so that no call is slow. */
  readonly slowerThan: number;
  readonly minimumCalls: number;
  readonly window: Parsed['window'];
  readonly breakFor: number;
  readonly breakLimit: number;
  readonly jitter: number;
  readonly probes: number;
  readonly probeLimit: number;
  readonly closeOver: number;
  readonly firstShare: number;
  readonly isFailure: (error: unknown) => boolean;

  /** @throws InvalidInputError naming the option */
  constructor({ isFailure = () => true, ...options }: BreakerOptions = {}) {
    if (typeof isFailure !== 'function')
      throw new InvalidInputError('CircuitBreaker: isFailure: is no function');
    const parsed = parseOptions(breakerOptions, options, 'CircuitBreaker');
    this.consecutiveFailures = parsed.consecutiveFailures || 0;
    this.failureRate = parsed.failureRate || 0;
    this.slowRate = parsed.slowRate || 0;
    this.slowerThan = parsed.slowRate === false ? Number.POSITIVE_INFINITY : parsed.slowerThan;
    this.minimumCalls = parsed.minimumCalls;
    this.window = parsed.window;
    this.breakFor = parsed.breakFor;
    this.breakLimit = parsed.breakLimit;
    this.jitter = parsed.jitter;
    this.probes = parsed.probes;
    this.probeLimit = parsed.probeLimit;
    this.closeOver = parsed.closeOver;
    this.firstShare = parsed.firstShare;
    this.isFailure = isFailure;
  }
}
