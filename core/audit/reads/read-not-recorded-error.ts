import { ChronawflowError } from '../../errors';

/** Somebody wants to read what is recorded when it is read, and it could not be recorded. */
export class ReadNotRecordedError extends ChronawflowError {
  readonly code = 'READ_NOT_RECORDED';

  constructor(action: string, cause: unknown) {
    super(`nothing is shown: the event ${action} that says who reads it cannot be written`, {
      cause,
      hint: 'Let this role insert into the audit log or its outbox; the section audit.reads says what is recorded.',
      details: { action },
    });
  }
}
