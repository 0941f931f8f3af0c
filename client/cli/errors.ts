import { ChronawflowError } from '../../core/errors';

/** A command that changes something was not confirmed. */
export class NotConfirmedError extends ChronawflowError {
  readonly code = 'NOT_CONFIRMED';
  override readonly kind = 'usage';

  constructor(what: string) {
    super(`${what} was not confirmed; nothing was done.`, {
      hint: 'Answer y, or give --yes where nobody can be asked.',
    });
  }
}
