import { ChronawflowError } from '../../errors';

/** The gate's row is locked, by the merge or by another step of the same restore, and stayed so past the limit. */
export class GateBusyError extends ChronawflowError {
  readonly code = 'GATE_BUSY';
  override readonly retryable = true;

  constructor(restoreId: string, cause?: unknown) {
    super(`The gate of restore ${restoreId} is in use by another step of the restore.`, {
      cause,
      hint: 'Wait for the merge to end; the gate is opened by its commit, and the sweep removes what is left.',
      details: { restoreId },
    });
  }
}
