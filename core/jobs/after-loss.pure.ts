import type { RetryPolicy } from './types';

/** What is known of an attempt that ended without a word, together with its process. */
export interface Loss {
  /** From 1. */
  readonly attempt: number;
  /** Nothing else of this queue ran in its process. */
  readonly alone: boolean;
  /** How often before, in a row, it was lost although it was alone. */
  readonly lostAlone: number;
}

export type AfterLoss =
  /** It runs again, alone; the attempt does not count. */
  | { readonly kind: 'again'; readonly lostAlone: number }
  /** It took its process with it so often that it is held back. */
  | { readonly kind: 'quarantine'; readonly lostAlone: number }
  | { readonly kind: 'dead'; readonly reason: 'ATTEMPTS_EXHAUSTED' };

/**
 * What becomes of a job whose process died. Who was beside others may be innocent, so that only a loss alone speaks against
 * it; `limit` of them in a row are enough. A job that may run only once is not run again.
 */
export function afterLoss(
  policy: Pick<RetryPolicy, 'maxAttempts'>,
  { alone, lostAlone }: Loss,
  limit: number,
): AfterLoss {
  if (policy.maxAttempts === 1) return { kind: 'dead', reason: 'ATTEMPTS_EXHAUSTED' };
  const count = alone ? lostAlone + 1 : lostAlone;
  return { kind: alone && count >= limit ? 'quarantine' : 'again', lostAlone: count };
}
