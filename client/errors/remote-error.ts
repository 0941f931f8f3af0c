import { ChronawflowError, type ErrorKind } from '../../core/errors';
import type { ErrorFacts } from '../../core/errors/error-facts.pure';

/** An error that a workflow or activity raised, with the code, kind, hint and details it had there. */
export class RemoteError extends ChronawflowError {
  readonly code: string;
  override readonly kind: ErrorKind;
  override readonly retryable: boolean;

  constructor(code: string, message: string, facts: ErrorFacts, cause?: unknown) {
    super(message, { cause, hint: facts.hint, details: facts.details });
    this.code = code;
    this.kind = facts.kind;
    this.retryable = facts.retryable;
  }
}
