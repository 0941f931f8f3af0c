import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** Somebody cancelled the job before it was done. */
export class JobCancelledError extends ChronawflowError {
  readonly code = 'JOB_CANCELLED';

  constructor({ tenant, type, key }: JobRef) {
    super(`Job ${type} ${key} of tenant ${tenant} was cancelled.`, { details: { tenant, type, key } });
  }
}
