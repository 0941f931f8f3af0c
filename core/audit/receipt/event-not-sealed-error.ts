import { ChronawflowError } from '../../errors';

/** There is no such event, or it is not sealed yet. */
export class EventNotSealedError extends ChronawflowError {
  readonly code = 'EVENT_NOT_SEALED';

  constructor(
    eventId: string,
    /** It is there and waits for the sealer. */
    override readonly retryable: boolean,
    /** Of some log the oldest events were dropped, and nobody knows any more which they were. */
    retained = false,
  ) {
    const dropped = retained ? '; it may be one of those that a retention has dropped' : '';
    super(
      retryable
        ? `event ${eventId} is not sealed yet`
        : `there is no event ${eventId} in the audit log${dropped}`,
      {
        hint: retryable
          ? 'Try again in a second; if it stays so, look whether a sealer runs.'
          : `Check the ID.${retained ? ' A receipt or an export from before the retention still proves it.' : ''}`,
        details: { eventId },
      },
    );
  }
}
