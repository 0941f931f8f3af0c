import { execFileSync } from 'node:child_process';
import { makeServerDirectory } from '../../core/cluster';
import { messageOf } from '../../core/errors';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

/** Runs with a directory that is a file system of that size, as `40m`; says so where none can be mounted, and leaves it out. */
export async function onSmallDisk(size: string, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await throwawayDirectory('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'none', directory], {
      stdio: 'pipe',
    });
  } catch (error) {
    console.warn(`skipped: a small file system could not be mounted here: ${messageOf(error)}`);
    await removeDirectory(directory);
    return;
  }
  try {
    await work(await makeServerDirectory(directory));
  } finally {
    // Whatever still has a file open there does not keep it.
    execFileSync('umount', ['-l', directory]);
    await removeDirectory(directory);
  }
}
