import { join } from 'node:path';
import { z } from 'zod';
import { bootId, hostTime, isAlive, processRef } from '../lease';
import { readJson, writeWhole } from '../lease/durable-file';
import type { GuardName } from './guard-record';

/** Who was started as a guard, written by who started it: until it has recorded itself nobody else would know. */
const guardStart = z.strictObject({
  process: processRef.optional(),
  bootId: z.string(),
  /** Milliseconds since the boot. */
  atMs: z.number(),
});

type GuardStart = z.output<typeof guardStart>;

/** One that cannot start is not started more often than this. */
const AT_MOST_EVERY_MS = 500;
/** A start that hangs for so long is given up. */
const PATIENCE_MS = 10_000;

export function noteStart(directory: string, name: GuardName, process: GuardStart['process']): Promise<void> {
  const start: GuardStart = { process, bootId: bootId(), atMs: hostTime().uptimeMs };
  return writeWhole(fileOf(directory, name), start);
}

/** Whether one was started that may still come up by itself. */
export async function isUnderWay(directory: string, name: GuardName): Promise<boolean> {
  const start = await readJson(fileOf(directory, name), guardStart).catch(() => undefined);
  if (start === undefined || start.bootId !== bootId()) return false;
  const age = hostTime().uptimeMs - start.atMs;
  if (age < AT_MOST_EVERY_MS) return true;
  return age < PATIENCE_MS && start.process !== undefined && (await isAlive(start.process));
}

function fileOf(directory: string, name: GuardName): string {
  return join(directory, `guard-${name}.start.json`);
}
