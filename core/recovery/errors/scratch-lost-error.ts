import { ChronawflowError } from '../../errors';

/** The scratch cluster is not where its handle says: on another host, or its directory is gone. */
export class ScratchLostError extends ChronawflowError {
  readonly code = 'SCRATCH_LOST';

  constructor(restoreId: string, reason: string) {
    super(`the scratch cluster of ${restoreId} is gone: ${reason}`, {
      hint: 'Start the restore again; nothing was changed in the application database.',
      details: { restoreId },
    });
  }
}
