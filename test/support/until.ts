import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; the limit is an error, so that a test never passes by having slept long enough. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { readonly limitMs?: number; readonly what?: string } = {},
): Promise<void> {
  const limit = Date.now() + (options.limitMs ?? 60_000);
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error(`waited in vain for ${options.what ?? condition.toString()}`);
    await sleep(20);
  }
}
