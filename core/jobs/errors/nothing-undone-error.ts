import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** No restore took effects of this job or request back that somebody still has to decide about. */
export class NothingUndoneError extends ChronawflowError {
  readonly code = 'NOTHING_UNDONE';
  override readonly kind = 'refused';

  constructor({ tenant, type, key }: JobRef) {
    super(`${type} ${key} of tenant ${tenant} has no undone effects that wait for a decision.`, {
      hint: '`chronawflow jobs undone list` lists those that have.',
      details: { tenant, type, key },
    });
  }
}
