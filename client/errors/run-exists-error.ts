import { ChronawflowError } from '../../core/errors';
import { shellWord } from '../../core/recovery/shell-word.pure';

/** A run with this workflow ID is running or has run; a request is carried out once. */
export class RunExistsError extends ChronawflowError {
  readonly code = 'RUN_EXISTS';
  override readonly kind = 'refused';

  constructor(workflowId: string, cause?: unknown) {
    super(`${workflowId} exists already.`, {
      cause,
      hint: `See how it stands with \`chronawflow recovery status ${shellWord(workflowId)}\`, or start another under a new name (--request, of a recovery point --name).`,
      details: { workflowId },
    });
  }
}
