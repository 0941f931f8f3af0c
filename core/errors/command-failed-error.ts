import { ChronawflowError } from './chronawflow-error';

/** An external program ended with a non-zero exit code or could not be started. */
export class CommandFailedError extends ChronawflowError {
  readonly code = 'COMMAND_FAILED';
  override readonly retryable = true;

  constructor(
    readonly program: string,
    /** Exit code, or the signal's name, or 'not started'. */
    readonly exit: number | string,
    /** The last lines of standard error, secrets removed by the caller. */
    readonly stderr: string,
    cause?: unknown,
  ) {
    super(`${program} ended with ${exit}: ${stderr.trim() || 'no output'}`, {
      cause,
      details: { program, exit },
    });
  }
}
