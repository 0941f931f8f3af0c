import { ChronawflowError } from '../../core/errors';

/** The run has ended, and its clean-up with it: there is nothing to approve, reject or cancel. */
export class RunEndedError extends ChronawflowError {
  readonly code = 'RUN_ENDED';
  override readonly kind = 'usage';

  constructor(workflowId: string, outcome: string) {
    super(`${workflowId} has ended: ${outcome}.`, {
      hint: 'A merged restore is taken back with `chronawflow recovery undo`.',
      details: { workflowId, outcome },
    });
  }
}
