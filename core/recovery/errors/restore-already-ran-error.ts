import { ChronawflowError } from '../../errors';

/** The same request was carried out and closed before; its ID is taken for good. */
export class RestoreAlreadyRanError extends ChronawflowError {
  readonly code = 'RESTORE_ALREADY_RAN';
  override readonly kind = 'refused';

  constructor(restoreId: string, workflowId: string, state: string) {
    super(`${workflowId} has run before and ended ${state} (${restoreId}).`, {
      hint: 'Start a new restore under another request name (--request).',
      details: { restoreId, workflowId, state },
    });
  }
}
