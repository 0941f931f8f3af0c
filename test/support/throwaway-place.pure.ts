const DISK = '/tmp';
export const MEMORY = '/dev/shm';

/** What three of the largest test files take at once was 3 GB; that much again for their processes, and some. */
const ROOM = 8 * 1024 ** 3;

export interface MemoryFacts {
  /** /proc/self/mounts */
  readonly mounts: string;
  /** Of the file system at MEMORY. */
  readonly freeBytes: number;
  /** What processes may still take before the system swaps or kills. */
  readonly availableBytes: number;
}

/**
 * Where tests put their servers: in memory when there is plenty of it, else on the disk. A suite makes and deletes files by the
 * hundred thousand (a thousand a cluster), and ext4 does not give out an inode again for one to five minutes after its file was
 * deleted: for every new file it passes over all of them (`recently_deleted` in Linux' fs/ext4/ialloc.c), which was half of the
 * time of tests that restore. A container's /dev/shm is small, and its files may not be executed: not there.
 *
 * @param facts undefined on systems without any
 */
export function throwawayPlace(facts: MemoryFacts | undefined): string {
  if (facts === undefined) return DISK;
  const { mounts, freeBytes, availableBytes } = facts;
  const mount = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, point]) => point === MEMORY);
  const [, , type, options = ''] = mount ?? [];
  const usable = type === 'tmpfs' && !/\b(noexec|ro)\b/.test(options);
  return usable && freeBytes >= ROOM && availableBytes >= ROOM ? MEMORY : DISK;
}
