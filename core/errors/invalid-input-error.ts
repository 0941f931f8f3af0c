import { ChronawflowError } from './chronawflow-error';

/** The caller's input does not have the form that is asked for; nothing was done. */
export class InvalidInputError extends ChronawflowError {
  readonly code = 'INVALID_INPUT';
  override readonly kind = 'usage';
}
