import { ChronawflowError } from '../../errors';

/** One of the experiment's own rollbacks could not be carried out; it is tried again. */
export class RollbackFailedError extends ChronawflowError {
  readonly code = 'CHAOS_ROLLBACK_FAILED';
  override readonly retryable = true;

  constructor(name: string, reason: string) {
    super(`rollback ${name}: ${reason}`, {
      hint: 'It is tried again for a minute; what it would have put back is still broken.',
      details: { activity: name },
    });
  }
}
