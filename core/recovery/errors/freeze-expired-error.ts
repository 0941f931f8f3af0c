import { ChronawflowError } from '../../errors';

/** The freeze reached its time limit (or was never made, or ended): the tenant may have written since. */
export class FreezeExpiredError extends ChronawflowError {
  readonly code = 'FREEZE_EXPIRED';

  constructor(restoreId: string, found: 'expired' | 'open' | 'arming' | 'absent') {
    const why = {
      expired: 'its freeze reached its time limit',
      open: 'its gate was opened already',
      arming: 'its freeze was never completed',
      absent: 'its tenant was not frozen',
    }[found];
    super(`Restore ${restoreId} no longer holds its tenant still: ${why}, so rows may have changed since.`, {
      hint: 'Freeze again and take a new preview; raise recovery.freezeLimit if approvals take longer.',
      details: { restoreId, found },
    });
  }
}
