import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, signalProcess } from '../lease';
import { readGuard } from './guard-record';

/**
 * Ends both guards of a journal, for who takes the whole place away. They end every fault first, as on a host that shuts down.
 *
 * @returns whether they are gone; each starts the other again, so both have to be seen dead at one look.
 */
export async function stopGuards(directory: string, limitMs = 30_000): Promise<boolean> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const guards = await Promise.all([readGuard(directory, 'a'), readGuard(directory, 'b')]);
    const alive: boolean[] = [];
    for (const guard of guards) if (guard !== undefined) alive.push(await isAlive(guard));
    if (!alive.includes(true)) return true;
    if (performance.now() > limit) return false;
    for (const guard of guards) if (guard !== undefined) await signalProcess(guard, 'SIGTERM');
    await sleep(100);
  }
}
