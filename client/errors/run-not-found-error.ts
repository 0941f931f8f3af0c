import { ChronawflowError } from '../../core/errors';

/** Temporal knows no run under this workflow ID. */
export class RunNotFoundError extends ChronawflowError {
  readonly code = 'RUN_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(workflowId: string, cause?: unknown) {
    super(`There is no run ${workflowId}.`, {
      cause,
      hint: 'Give the workflow ID (restore/<tenant>/<request>) or the restore ID (r and twelve digits); `chronawflow recovery status` lists both.',
      details: { workflowId },
    });
  }
}
