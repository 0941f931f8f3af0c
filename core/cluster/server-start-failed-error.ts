import { ChronawflowError } from '../errors';

/** A PostgreSQL server did not come up. */
export class ServerStartFailedError extends ChronawflowError {
  readonly code = 'SERVER_START_FAILED';
  override readonly retryable = true;

  constructor(
    dataDirectory: string,
    reason: string,
    /** The last lines of the server's log. */
    readonly log: string,
  ) {
    super(`the server in ${dataDirectory} did not start: ${reason}${log === '' ? '' : `\n${log}`}`, {
      details: { dataDirectory, reason },
    });
  }
}
