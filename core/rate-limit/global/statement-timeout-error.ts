import { ChronawflowError } from '../../errors';

/** The control-plane database did not answer a lease's statement in time. */
export class StatementTimeoutError extends ChronawflowError {
  readonly code = 'RATE_LIMIT_DATABASE_SLOW';
  override readonly retryable = true;

  constructor(limitMs: number) {
    super(`The control-plane database gave no answer within ${limitMs} ms.`, {
      hint: 'Limits are decided by the local share until it answers again.',
    });
  }
}
