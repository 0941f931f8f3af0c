import { ChronawflowError, messageOf } from '../../core/errors';

/** A writer met an error that no retry mends, and ended. */
export class WriterFailedError extends ChronawflowError {
  readonly code = 'WRITER_FAILED';

  constructor(organisationId: string, work: string, cause: unknown) {
    super(`${work} for organisation ${organisationId} failed: ${messageOf(cause)}`, {
      cause,
      hint: 'The cause is a bug of the application, or rows that contradict each other: look at the message.',
      details: { organisationId, work },
    });
  }
}
