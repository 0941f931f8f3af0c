import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** The attempt took longer than the type allows. */
export class JobTimeoutError extends ChronawflowError {
  readonly code = 'JOB_TIMEOUT';
  override readonly retryable = true;

  constructor({ tenant, type, key }: JobRef, limitMs: number) {
    super(`The attempt of job ${type} ${key}, tenant ${tenant}, took longer than ${limitMs} ms.`, {
      hint: 'Raise the type’s `timeout`, or split the work.',
      details: { tenant, type, key, limitMs },
    });
  }
}
