import { ChronawflowError } from '../../errors';

export interface DiskSpace {
  readonly freeBytes: number;
  /** What the restore still needs; absent when the server itself ran out of space during recovery. */
  readonly needBytes?: number;
}

/** The file system of the scratch directory cannot hold the restored cluster. */
export class ScratchDiskFullError extends ChronawflowError {
  readonly code = 'SCRATCH_DISK_FULL';

  constructor(directory: string, { freeBytes, needBytes }: DiskSpace, cause?: unknown) {
    super(
      needBytes === undefined
        ? `the file system of ${directory} became full during recovery, with ${inMegabytes(freeBytes)} free now`
        : `the scratch cluster needs about ${inMegabytes(needBytes)} in ${directory}, and ${inMegabytes(freeBytes)} are free`,
      {
        cause,
        hint: 'Free space there, or point application.backup.scratchDirectory at a larger file system.',
        details: { directory, needBytes, freeBytes },
      },
    );
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`;
}
