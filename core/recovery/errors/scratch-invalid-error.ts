import { ChronawflowError } from '../../errors';

/** The scratch cluster runs, but it is not the state that was asked for, or cannot be read. */
export class ScratchInvalidError extends ChronawflowError {
  readonly code = 'SCRATCH_INVALID';

  constructor(restoreId: string, problems: readonly string[]) {
    super(`the scratch cluster of ${restoreId} cannot be used: ${problems.join('; ')}`, {
      hint: 'Nothing was changed in the application database. Restore again with another target or backup.',
      details: { restoreId, problems },
    });
  }
}
