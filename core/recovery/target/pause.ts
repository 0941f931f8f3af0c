import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; when aborted it throws the signal's own reason, as every other step does. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
