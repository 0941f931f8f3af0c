import { ChronawflowError } from '../../errors';

/** The restore has been cancelled, or has ended, while a step of it was still to come. */
export class RestoreClosedError extends ChronawflowError {
  readonly code = 'RESTORE_CLOSED';
  override readonly kind = 'refused';

  constructor(restoreId: string, state: string) {
    super(`Restore ${restoreId} is ${state}; it goes no further.`, {
      hint: `How it ended: chronawflow recovery status ${restoreId}. Row images can be read only while it runs.`,
      details: { restoreId, state },
    });
  }
}
