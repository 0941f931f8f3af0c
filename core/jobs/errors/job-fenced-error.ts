import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** This attempt lost its permit: its lease lapsed, or the job ended otherwise. Nothing of it commits any more. */
export class JobFencedError extends ChronawflowError {
  readonly code = 'JOB_FENCED';
  override readonly retryable = true;

  constructor({ tenant, type, key }: JobRef) {
    super(`The attempt of job ${type} ${key}, tenant ${tenant}, no longer holds its permit.`, {
      hint: 'Another attempt goes on. Watch ctx.signal, so that work stops when its permit is lost.',
      details: { tenant, type, key },
    });
  }
}
