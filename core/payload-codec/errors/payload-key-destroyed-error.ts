import { ChronawflowError } from '../../errors';
import type { PayloadOwner } from '../types';

/** The tenant's keys were destroyed, or are about to be: nothing of it can be read or started any more. */
export class PayloadKeyDestroyedError extends ChronawflowError {
  readonly code = 'PAYLOAD_KEY_DESTROYED';
  override readonly kind = 'refused';

  constructor(owner: PayloadOwner, state: 'closing' | 'destroyed') {
    super(
      state === 'closing'
        ? `The payload keys of ${owner} are being destroyed: nothing new is started for it.`
        : `The payload keys of ${owner} were destroyed.`,
      {
        hint: 'This was decided with `chronawflow keys destroy` and stands in the audit log; it cannot be undone.',
        details: { owner, state },
      },
    );
  }
}
