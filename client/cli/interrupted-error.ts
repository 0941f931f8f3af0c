import { ChronawflowError } from '../../core/errors';

/** Ctrl-C, or SIGTERM, before the command was done; the message says what became of what it had begun. */
export class InterruptedError extends ChronawflowError {
  readonly code = 'INTERRUPTED';
  override readonly retryable = true;
}
