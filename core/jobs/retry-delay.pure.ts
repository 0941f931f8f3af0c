import type { RetryPolicy } from './types';

/**
 * Milliseconds from the end of attempt number `attempt` (from 1) to the next: anywhere between nothing and the
 * exponential bound, and never before what the error asked for.
 *
 * Full jitter spreads the retries of a common cause best: Brooker, "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015.
 *
 * @param random from 0 to 1
 */
export function retryDelayMs(
  policy: Pick<RetryPolicy, 'initialMs' | 'factor' | 'maxMs'>,
  attempt: number,
  random: number,
  retryAfterMs = 0,
): number {
  const bound = Math.min(policy.maxMs, policy.initialMs * policy.factor ** (attempt - 1));
  return Math.round(Math.max(bound * random, retryAfterMs));
}
