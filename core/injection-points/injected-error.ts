import { ChronawflowError } from '../errors';

/** A chaos experiment wanted this call to fail; nothing else is wrong. */
export class InjectedError extends ChronawflowError {
  readonly code = 'CHAOS_INJECTED';
  override readonly retryable = true;

  constructor(faultId: string, message: string) {
    super(message, { hint: 'chronawflow chaos list', details: { fault: faultId } });
  }
}
