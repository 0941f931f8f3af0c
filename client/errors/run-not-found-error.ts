import { ChronawflowError } from '../../core/errors';

/** Temporal knows no run under this workflow ID. */
export class RunNotFoundError extends ChronawflowError {
  readonly code = 'RUN_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(workflowId: string, cause?: unknown) {
    super(`There is no run ${workflowId}.`, {
      cause,
      hint: 'Give the workflow ID as `recovery restore` printed it (restore/<tenant>/<request>).',
      details: { workflowId },
    });
  }
}
