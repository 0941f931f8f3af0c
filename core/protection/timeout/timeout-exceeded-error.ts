import { ChronawflowError } from '../../errors';

/** The call did not answer in its time; its signal was aborted, whether or not it heeds it. */
export class TimeoutExceededError extends ChronawflowError {
  readonly code = 'TIMEOUT_EXCEEDED';
  override readonly retryable = true;

  constructor(
    readonly timeoutMs: number,
    /** Whether the caller's deadline was shorter than the operation's own limit. */
    readonly byDeadline: boolean,
  ) {
    super(
      `No answer within ${Math.round(timeoutMs)} ms${byDeadline ? ', what was left of the caller’s deadline' : ''}.`,
      {
        details: { timeoutMs, byDeadline },
      },
    );
  }
}
