import { ChronawflowError } from '../../errors';

/** The input does not fit; nothing was submitted. */
export class InputTooLargeError extends ChronawflowError {
  readonly code = 'INPUT_TOO_LARGE';
  override readonly kind = 'usage';

  constructor(type: string, bytes: number, limit: number) {
    super(`The input of a job ${type} has ${bytes} bytes of JSON; the limit is ${limit}.`, {
      hint: 'Store the data in your own table or object store and give the job a reference to it.',
      details: { type, bytes, limit },
    });
  }
}
