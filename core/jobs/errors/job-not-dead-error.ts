import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** Only a job with an open dead letter can be redriven or discarded. */
export class JobNotDeadError extends ChronawflowError {
  readonly code = 'JOB_NOT_DEAD';
  override readonly kind = 'refused';

  constructor({ tenant, type, key }: JobRef) {
    super(`Job ${type} ${key} of tenant ${tenant} has no open dead letter.`, {
      hint: '`chronawflow jobs dead` lists those that have one.',
      details: { tenant, type, key },
    });
  }
}
