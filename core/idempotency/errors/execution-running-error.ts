import { ChronawflowError } from '../../errors';
import type { IdempotencyRef } from '../types';

/** The same request is being carried out at this moment by somebody else. */
export class ExecutionRunningError extends ChronawflowError {
  readonly code = 'EXECUTION_RUNNING';
  override readonly retryable = true;

  constructor(
    ref: IdempotencyRef,
    readonly until: string,
  ) {
    super(`${ref.scope} ${ref.key}, tenant ${ref.tenant}, is being carried out by another owner.`, {
      hint: `Ask again; its lease runs until ${until} unless it is renewed.`,
      details: { ...ref, until },
    });
  }
}
