import { ChronawflowError } from '../../errors';
import type { AttemptError, JobRef } from '../types';

/** The job is spent: it stands in the dead letters until somebody decides. */
export class JobDeadError extends ChronawflowError {
  readonly code = 'JOB_DEAD';

  constructor(
    { tenant, type, key }: JobRef,
    attempts: number,
    readonly last: AttemptError | undefined,
  ) {
    super(
      `Job ${type} ${key} of tenant ${tenant} is dead after ${attempts} attempt${attempts === 1 ? '' : 's'}` +
        `${last === undefined ? '' : `: ${last.code}: ${last.message}`}`,
      {
        hint: 'Mend the cause, then `chronawflow jobs redrive`, or `jobs discard --reason …`.',
        details: { tenant, type, key, attempts, ...(last === undefined ? {} : { lastCode: last.code }) },
      },
    );
  }
}
