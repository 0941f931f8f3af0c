import { join } from 'node:path';
import { isAlive, type ProcessRef, processRef } from '../lease';
import { readJson, writeDurably } from '../lease/durable-file';

export type GuardName = 'a' | 'b';

export const GUARDS: readonly GuardName[] = ['a', 'b'];

export function claimGuard(directory: string, name: GuardName, self: ProcessRef): Promise<void> {
  return writeDurably(recordOf(directory, name), self);
}

/** The guard's process as it has recorded itself; it may be dead. */
export function readGuard(directory: string, name: GuardName): Promise<ProcessRef | undefined> {
  return readJson(recordOf(directory, name), processRef).catch(() => undefined);
}

export async function isGuardAlive(directory: string, name: GuardName): Promise<boolean> {
  const ref = await readGuard(directory, name);
  return ref !== undefined && (await isAlive(ref));
}

function recordOf(directory: string, name: GuardName): string {
  return join(directory, `guard-${name}.json`);
}
