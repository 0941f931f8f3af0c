import { ChronawflowError } from '../../errors';

/** A receipt does not prove what it says. */
export class ReceiptInvalidError extends ChronawflowError {
  readonly code = 'RECEIPT_INVALID';
  override readonly retryable = false;

  constructor(reason: string) {
    super(`the receipt proves nothing: ${reason}`, {
      hint: 'Ask for a new one with `chronawflow audit prove`, and check that the public key is the log’s.',
    });
  }
}
