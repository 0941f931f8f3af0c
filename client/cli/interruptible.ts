import type { InterruptedError } from './interrupted-error';

/**
 * Ctrl-C and SIGTERM abort the signal with this reason instead of ending the process; a second one ends it at once.
 *
 * The listener stays until the work is done: the terminal's spinner has one of its own, which restores the cursor and
 * then, when it is the last one (as after `once`), ends the process.
 */
export async function withInterrupts<T>(
  reason: () => InterruptedError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupted = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (!interrupted.signal.aborted) {
      interrupted.abort(reason());
      return;
    }
    stopListening();
    process.kill(process.pid, signal);
  };
  const stopListening = () => process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    stopListening();
  }
}

/** The same for work that only waits: it is left alone, and the reason is thrown. */
export function interruptible<T>(
  reason: () => InterruptedError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withInterrupts(reason, (signal) => {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    return Promise.race([work(signal), aborted]);
  });
}
