import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeServerDirectory, runProgram } from '../../cluster';
import { messageOf } from '../../errors';
import type { StackPart } from '../part';
import { PartFailedError } from '../part-failed-error';

/** A restore asks for 1.5 GB beside its small copy, for the WAL to come; memory is taken only as it is used. */
const SIZE = '1800m';

/** Restores get a file system of their own for their scratch copies, so that it may be filled. Needs root. */
export function ownScratch(directory: string): StackPart {
  return {
    name: 'own-scratch',
    async start() {
      await makeServerDirectory(directory);
      if (await isMounted(directory)) return;
      try {
        await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', directory]);
      } catch (error) {
        throw new PartFailedError('own-scratch', messageOf(error), '', error);
      }
      await makeServerDirectory(directory);
    },
    stop: () => releaseScratch(directory),
    status: async () =>
      (await isMounted(directory)) ? { kind: 'running', where: directory } : { kind: 'stopped' },
  };
}

export async function releaseScratch(directory: string): Promise<void> {
  if (await isMounted(directory)) await runProgram('umount', ['-l', directory]);
}

async function isMounted(directory: string): Promise<boolean> {
  const here = await stat(directory).catch(() => undefined);
  return here !== undefined && here.dev !== (await stat(dirname(directory))).dev;
}

/** Whether this process may mount at all: it is tried, on a directory of its own. */
export async function mayMount(directory: string): Promise<boolean> {
  await makeServerDirectory(directory);
  try {
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
    await runProgram('umount', ['-l', directory]);
    return true;
  } catch {
    return false;
  }
}
