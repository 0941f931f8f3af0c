import { ChronawflowError } from '../../core/errors';

/** The run was cancelled; the clean-up has been done. */
export class RunCancelledError extends ChronawflowError {
  readonly code = 'RUN_CANCELLED';

  constructor(workflowId: string, cause?: unknown) {
    super(`${workflowId} was cancelled; nothing was written.`, { cause, details: { workflowId } });
  }
}
