import { ChronawflowError } from '../../core/errors';

/** Ctrl-C, or SIGTERM, before the command was done. */
export class InterruptedError extends ChronawflowError {
  readonly code = 'INTERRUPTED';
  override readonly retryable = true;

  constructor() {
    super('interrupted; what was started has been stopped again');
  }
}
