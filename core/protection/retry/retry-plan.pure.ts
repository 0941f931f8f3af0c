import { ChronawflowError, RefusalError } from '../../errors';

/** Milliseconds before the n-th retry: "full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export function backoffMs(retry: number, base: number, limit: number, random: number): number {
  return random * Math.min(limit, base * 2 ** Math.min(retry - 1, 1_023));
}

/** Whether the error itself allows another try. A refusal does not: the guard that refused would be asked again at once. */
export function mayRetry(error: unknown): boolean {
  if (error instanceof RefusalError) return false;
  return error instanceof ChronawflowError ? error.retryable : true;
}
