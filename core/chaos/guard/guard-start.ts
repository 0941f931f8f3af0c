import { isAlive, type ProcessRef } from '../lease';

/** A guard that was started and has not written its record yet. */
export interface GuardStart {
  /** By `performance.now()`. */
  readonly at: number;
  readonly ref: ProcessRef | undefined;
}

/** One that cannot start is not started more often than this. */
const AT_MOST_EVERY_MS = 1_000;
/** A start that hangs for so long is given up. */
const PATIENCE_MS = 10_000;

/** Whether it may still come up by itself: one that was killed on its way is missed at once. */
export async function isUnderWay(start: GuardStart | undefined): Promise<boolean> {
  if (start === undefined) return false;
  const age = performance.now() - start.at;
  if (age < AT_MOST_EVERY_MS) return true;
  return age < PATIENCE_MS && start.ref !== undefined && (await isAlive(start.ref));
}
