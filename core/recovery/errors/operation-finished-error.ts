import { ChronawflowError } from '../../errors';

/** A workflow was started under an ID whose operation has ended; its record is not written over. */
export class OperationFinishedError extends ChronawflowError {
  readonly code = 'OPERATION_FINISHED';
  override readonly kind = 'refused';

  constructor(workflowId: string, restoreId: string, outcome: string) {
    super(`${workflowId} has run before and ended ${outcome} (${restoreId}).`, {
      hint: 'Start it again under another request name.',
      details: { workflowId, restoreId, outcome },
    });
  }
}
