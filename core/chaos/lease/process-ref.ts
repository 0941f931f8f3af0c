import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { processIdentity } from '../../cluster';
import { hasCode } from '../../errors';
import { bootId } from './host-clock';

/** One process and no other: a PID is given again, and start times repeat after a boot. */
export const processRef = z.strictObject({
  pid: z.number().int().positive(),
  /** Start time in the system's own notation. */
  startedAt: z.string(),
  bootId: z.string(),
});

export type ProcessRef = z.output<typeof processRef>;

/** The process that has this PID now; undefined when there is none. */
export async function refOf(pid: number): Promise<ProcessRef | undefined> {
  const startedAt = await processIdentity(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, bootId: bootId() };
}

export async function isAlive(ref: ProcessRef): Promise<boolean> {
  return ref.bootId === bootId() && (await processIdentity(ref.pid)) === ref.startedAt;
}

/** @returns whether it was there to be signalled. */
export async function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(ref))) return false;
  try {
    process.kill(ref.pid, signal);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/** SIGKILL, and waits until the kernel has taken it away. @returns false when it is still there at the limit. */
export async function killProcess(ref: ProcessRef, limitMs = 2_000): Promise<boolean> {
  const limit = performance.now() + limitMs;
  await signalProcess(ref, 'SIGKILL');
  while (await isAlive(ref)) {
    if (performance.now() > limit) return false;
    await sleep(10);
  }
  return true;
}
