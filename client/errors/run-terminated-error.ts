import { ChronawflowError } from '../../core/errors';
import { shellWord } from '../../core/recovery/shell-word.pure';

/** Somebody terminated the run in Temporal: unlike a cancellation that skips the clean-up. */
export class RunTerminatedError extends ChronawflowError {
  readonly code = 'RUN_TERMINATED';

  constructor(workflowId: string, cause?: unknown) {
    super(`${workflowId} was terminated, so its clean-up did not run.`, {
      cause,
      hint: `Clean up after it: chronawflow recovery cancel ${shellWord(workflowId)}`,
      details: { workflowId },
    });
  }
}
