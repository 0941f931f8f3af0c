import { ChronawflowError } from '../../core/errors';

/** Somebody terminated the run in Temporal: unlike a cancellation that skips the clean-up. */
export class RunTerminatedError extends ChronawflowError {
  readonly code = 'RUN_TERMINATED';

  constructor(workflowId: string, cause?: unknown) {
    super(`${workflowId} was terminated, so its clean-up did not run.`, {
      cause,
      hint: 'Its freeze ends by itself at its limit; the next start of a worker removes its scratch cluster. Prefer `chronawflow recovery cancel`.',
      details: { workflowId },
    });
  }
}
