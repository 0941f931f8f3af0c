import type { z } from 'zod';
import { retryOptions } from '../../../config';
import { InvalidInputError } from '../../errors';
import { begin, NEVER, untilAborted } from '../abort';
import { remainingMs } from '../deadline';
import { parseOptions } from '../parse-options';
import { pause } from '../pause';
import type { Policy, Protected } from '../policy';
import { tell } from '../tell';
import { RetryBudget } from './retry-budget';
import { backoffMs, mayRetry } from './retry-plan.pure';

export type RetryOptions = z.input<typeof retryOptions> & {
  /** Shared by all that call the same target; one of its own by default. */
  readonly budget?: RetryBudget;
  /** Asked after what cannot be retried in any case is ruled out. */
  readonly isRetryable?: (error: unknown) => boolean;
  readonly onRetry?: (retry: {
    readonly attempt: number;
    readonly waitMs: number;
    readonly error: unknown;
  }) => void;
  readonly random?: () => number;
};

/**
 * Makes a call again that failed, after a random wait that may double each time, as long as the target's budget, the
 * attempts and the caller's deadline allow. The last error is the one that is thrown.
 *
 * What a breaker or bulkhead refused is not tried again, nor is a call that is not idempotent, unless it is made with
 * `keyed`: then the receiver tells repetitions by the key.
 */
export class Retry implements Policy {
  private readonly options: z.output<typeof retryOptions>;
  private readonly budget: RetryBudget;
  private readonly isRetryable: (error: unknown) => boolean;
  private readonly onRetry: RetryOptions['onRetry'];
  private readonly random: () => number;

  /** @throws InvalidInputError naming the option */
  constructor({ budget, isRetryable, onRetry, random, ...options }: RetryOptions = {}) {
    this.options = parseOptions(retryOptions, options, 'Retry');
    this.budget = budget ?? new RetryBudget();
    this.isRetryable = isRetryable ?? (() => true);
    this.onRetry = onRetry;
    this.random = random ?? Math.random;
  }

  /** @throws the last try's error; the signal's reason */
  execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    return this.run(call, signal, this.options.idempotent ? this.options.attempts : 1);
  }

  /** The same with retries for a call whose repetitions the receiver tells by this key. */
  keyed(key: string): Policy {
    if (key === '') throw new InvalidInputError('Retry: key: an empty key tells no call from another');
    return { execute: (call, signal = NEVER) => this.run(call, signal, this.options.attempts) };
  }

  private async run<T>(call: Protected<T>, signal: AbortSignal, attempts: number): Promise<T> {
    this.budget.deposit();
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await untilAborted(begin(call, signal), signal);
      } catch (error) {
        const waitMs = backoffMs(attempt, this.options.base, this.options.limit, this.random());
        if (attempt >= attempts || !this.allows(error, waitMs, signal)) throw error;
        tell(this.onRetry, { attempt, waitMs, error });
        await pause(waitMs, signal);
      }
    }
  }

  /** The budget is asked last: what is not retried must not cost. */
  private allows(error: unknown, waitMs: number, signal: AbortSignal): boolean {
    if (signal.aborted || waitMs >= remainingMs(signal)) return false;
    return mayRetry(error) && this.isRetryable(error) && this.budget.withdraw();
  }
}
