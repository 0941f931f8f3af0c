import { ChronawflowError } from '../../errors';

/** Only a restore of this tenant that was merged can be undone. */
export class NotUndoableError extends ChronawflowError {
  readonly code = 'NOT_UNDOABLE';
  override readonly kind = 'usage';

  constructor(restoreId: string, tenant: string, found: string) {
    super(`Restore ${restoreId} of tenant ${tenant} cannot be undone: ${found}.`, {
      hint: 'Give the ID and tenant of a merged restore, as its report shows them.',
      details: { restoreId, tenant, found },
    });
  }
}
