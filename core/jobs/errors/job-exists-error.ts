import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** A job with this key is there, and the submitter asked for a new one: `dedupe: 'reject'`. */
export class JobExistsError extends ChronawflowError {
  readonly code = 'JOB_EXISTS';
  override readonly kind = 'refused';

  constructor({ tenant, type, key }: JobRef) {
    super(`There is a job ${type} ${key} of tenant ${tenant} already.`, {
      hint: "Submit without `dedupe: 'reject'` to get its result, or use a new key.",
      details: { tenant, type, key },
    });
  }
}
