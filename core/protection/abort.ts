import type { Protected } from './policy';

/** The signal of callers that give none. Nobody adds a listener to it. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Calls it; what it throws at once becomes a rejection as well. */
export function begin<T>(call: Protected<T>, signal: AbortSignal): Promise<T> {
  try {
    const answer = call(signal);
    // What `Promise.resolve` does too, only faster. A subclass is wrapped: its own `then` might call back twice.
    return answer instanceof Promise && answer.constructor === Promise ? answer : Promise.resolve(answer);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The answer, or the signal's reason if that comes first. Leaves no listener behind; a late rejection is nobody's. */
export function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal === NEVER) return answer;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
