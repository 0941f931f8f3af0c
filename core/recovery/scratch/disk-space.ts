import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ScratchDiskFullError } from '../errors/scratch-disk-full-error';

/** Kept free for logs, sockets and the server's temporary files. */
const RESERVE = 64 * 1024 * 1024;
/** A restore that failed to write and left less than this has filled its disk. */
const FULL_BELOW = 16 * 1024 * 1024;
/** max_wal_size of the scratch server, and a checkpoint's worth above it. */
const WAL_LIMIT = 1280 * 1024 * 1024;

export interface SpaceNeed {
  /** Size of the cluster when the backup was made. */
  readonly clusterBytes: number;
  readonly segments: number;
  readonly segmentBytes: number;
}

export function bytesNeeded(need: SpaceNeed): number {
  return need.clusterBytes + Math.min(need.segments * need.segmentBytes, WAL_LIMIT) + RESERVE;
}

/** @throws ScratchDiskFullError before anything is written that would not fit; what a half-done restore holds counts. */
export async function requireSpace(directory: string, need: SpaceNeed): Promise<void> {
  const free = await freeBytes(directory);
  const needed = bytesNeeded(need) - (await bytesUnder(directory));
  if (free < needed) throw new ScratchDiskFullError(directory, { needBytes: needed, freeBytes: free });
}

/** After a write failed: was it for want of space? */
export async function refuseWhenFull(directory: string, need: SpaceNeed, cause: unknown): Promise<void> {
  const free = await freeBytes(directory);
  if (free < FULL_BELOW)
    throw new ScratchDiskFullError(directory, { needBytes: bytesNeeded(need), freeBytes: free }, cause);
}

export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function bytesUnder(directory: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += (await lstat(join(entry.parentPath, entry.name))).size;
  }
  return total;
}
