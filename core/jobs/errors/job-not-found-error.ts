import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** There is no such job, or its retention is over. */
export class JobNotFoundError extends ChronawflowError {
  readonly code = 'JOB_NOT_FOUND';
  override readonly kind = 'usage';

  constructor({ tenant, type, key }: JobRef) {
    super(`There is no job ${type} ${key} of tenant ${tenant}.`, {
      hint: 'Finished jobs are kept for jobs.retention; `chronawflow jobs list --tenant …` shows what is there.',
      details: { tenant, type, key },
    });
  }
}
