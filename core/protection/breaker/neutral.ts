import { RefusalError } from '../../errors';
import { TimeoutExceededError } from '../timeout/timeout-exceeded-error';

/**
 * Whether an error says nothing about the service: the caller gave up (not because it took too long), or another guard
 * on the way to the service refused the call.
 */
export function neutral(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof RefusalError) return true;
  if (!signal.aborted) return false;
  return !isTimeout(signal.reason);
}

/** `AbortSignal.timeout` aborts with a DOMException, which is known by its name. */
function isTimeout(reason: unknown): boolean {
  if (reason instanceof TimeoutExceededError) return true;
  return typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError';
}
