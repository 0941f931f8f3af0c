import { ChronawflowError } from '../../errors';
import type { Execution } from '../types';

/** Somebody else has taken over, or the request is over: this owner may not complete, and its transaction must not commit. */
export class ExecutionFencedError extends ChronawflowError {
  readonly code = 'EXECUTION_FENCED';

  constructor({ ref, fence }: Execution) {
    super(
      `The execution of ${ref.scope} ${ref.key}, tenant ${ref.tenant}, no longer belongs to this owner.`,
      {
        hint: 'Its lease lapsed and another owner went on; roll back and take the recorded result.',
        details: { ...ref, fence },
      },
    );
  }
}
