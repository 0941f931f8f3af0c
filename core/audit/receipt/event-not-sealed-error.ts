import { ChronawflowError } from '../../errors';

/** There is no such event, or it is not sealed yet. */
export class EventNotSealedError extends ChronawflowError {
  readonly code = 'EVENT_NOT_SEALED';

  constructor(
    eventId: string,
    /** It is there and waits for the sealer. */
    override readonly retryable: boolean,
  ) {
    super(
      retryable ? `event ${eventId} is not sealed yet` : `there is no event ${eventId} in the audit log`,
      {
        hint: retryable
          ? 'Try again in a second; if it stays so, look whether a sealer runs.'
          : 'Check the ID.',
        details: { eventId },
      },
    );
  }
}
