import { ChronawflowError } from '../../errors';

/** The configuration names another log than the one that the database holds. */
export class LogOriginChangedError extends ChronawflowError {
  readonly code = 'AUDIT_ORIGIN_CHANGED';
  override readonly retryable = false;

  constructor(stored: string, configured: string) {
    super(`the audit log of this control plane is ${stored}, not ${configured}`, {
      hint: 'A log keeps its origin for ever: set audit.origin back, and use the key whose name it is.',
      details: { stored, configured },
    });
  }
}
