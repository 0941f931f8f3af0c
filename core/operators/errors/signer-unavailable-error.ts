import { ChronawflowError, type ChronawflowErrorOptions } from '../../errors';

/** There is no key to sign with, or whoever holds it does not sign. */
export class SignerUnavailableError extends ChronawflowError {
  readonly code = 'SIGNER_UNAVAILABLE';
  override readonly kind = 'usage';

  constructor(reason: string, options: ChronawflowErrorOptions = {}) {
    super(`This cannot be signed: ${reason}.`, options);
  }
}
