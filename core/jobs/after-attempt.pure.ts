import { retryDelayMs } from './retry-delay.pure';
import type { RetryPolicy } from './types';

/** Why an attempt did not end well. */
export interface AttemptFailure {
  /** Code of the error, or its class's name. */
  readonly code: string;
  /** Every name by which `nonRetryable` may call it: code and class. */
  readonly names: readonly string[];
  readonly message: string;
  /** The error itself says that trying again is of no use. */
  readonly final: boolean;
  /** Milliseconds before which another attempt is of no use, by the error. */
  readonly retryAfterMs?: number;
}

/** SQLSTATE that the restore's freeze raises for the tenant's writes; core/recovery/gate. */
export const TENANT_FROZEN = 'TF001';

/** How long a job of a frozen tenant waits before it looks again; the claim leaves it alone while the freeze stands. */
const THAW_MS = 2_000;

export type AfterAttempt =
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Not the job's fault: the attempt does not count. */
  | { readonly kind: 'thaw'; readonly delayMs: number }
  | { readonly kind: 'dead'; readonly reason: 'NON_RETRYABLE' | 'ATTEMPTS_EXHAUSTED' };

/** What becomes of a job whose attempt number `attempt` (from 1) failed. `random` is from 0 to 1. */
export function afterAttempt(
  policy: RetryPolicy,
  attempt: number,
  failure: AttemptFailure,
  random: number,
): AfterAttempt {
  if (failure.code === TENANT_FROZEN) return { kind: 'thaw', delayMs: THAW_MS };
  if (failure.final || failure.names.some((name) => policy.nonRetryable.includes(name)))
    return { kind: 'dead', reason: 'NON_RETRYABLE' };
  if (attempt >= policy.maxAttempts) return { kind: 'dead', reason: 'ATTEMPTS_EXHAUSTED' };
  return { kind: 'retry', delayMs: retryDelayMs(policy, attempt, random, failure.retryAfterMs) };
}
