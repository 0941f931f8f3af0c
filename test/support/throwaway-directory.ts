import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeServerDirectory } from '../../core/cluster';
import { MEMORY, throwawayPlace } from './throwaway-place.pure';

/**
 * A directory of the server user with a short name: sockets live in it, and their paths are limited to 107 bytes.
 * TMPDIR of a machine may be long (macOS) or closed to that user, so it is /tmp, or memory where there is plenty of it.
 */
export async function throwawayDirectory(name: string): Promise<string> {
  return makeServerDirectory(await mkdtemp(join(await place(), `cf-${name}-`)));
}

export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

async function place(): Promise<string> {
  // Benchmarks use these fixtures as well, and measure with the disk as it is.
  if (process.env.JEST_WORKER_ID === undefined) return throwawayPlace(undefined);
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => undefined);
  const room = await statfs(MEMORY).catch(() => undefined);
  if (mounts === undefined || room === undefined) return throwawayPlace(undefined);
  const freeBytes = room.bavail * room.bsize;
  return throwawayPlace({ mounts, freeBytes, availableBytes: process.availableMemory() });
}
