import { ChronawflowError } from '../errors';

/** A PostgreSQL server was told to stop and still runs. */
export class ServerStopFailedError extends ChronawflowError {
  readonly code = 'SERVER_STOP_FAILED';
  override readonly retryable = true;

  constructor(dataDirectory: string, pid: number, timeoutMs: number) {
    super(
      `the server in ${dataDirectory} (pid ${pid}) still runs ${timeoutMs / 1000} s after it was told to stop`,
      {
        hint: 'Look at the end of its log; a fast stop waits for its last checkpoint to reach the disk.',
        details: { dataDirectory, pid },
      },
    );
  }
}
