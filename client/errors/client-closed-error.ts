import { ChronawflowError } from '../../core/errors';

/** The connection was closed under a request that Temporal had not answered. Whether it reached Temporal is not known. */
export class ClientClosedError extends ChronawflowError {
  readonly code = 'CLIENT_CLOSED';
  override readonly retryable = true;

  constructor(address: string, cause: unknown) {
    super(`The client was closed before Temporal at ${address} had answered.`, {
      cause,
      hint: 'Close a client when its requests are done; asking again with a new one is safe.',
      details: { address },
    });
  }
}
