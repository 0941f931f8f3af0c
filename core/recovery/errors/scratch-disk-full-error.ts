import { ChronawflowError } from '../../errors';

/** The file system of the scratch directory cannot hold the restored cluster. */
export class ScratchDiskFullError extends ChronawflowError {
  readonly code = 'SCRATCH_DISK_FULL';

  constructor(directory: string, needBytes: number, haveBytes: number, cause?: unknown) {
    super(
      `the scratch cluster needs about ${inMegabytes(needBytes)} in ${directory}, and ${inMegabytes(haveBytes)} are free`,
      {
        cause,
        hint: 'Free space there, or point application.backup.scratchDirectory at a larger file system.',
        details: { directory, needBytes, haveBytes },
      },
    );
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`;
}
