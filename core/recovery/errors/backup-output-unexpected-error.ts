import { ChronawflowError } from '../../errors';

/** The backup tool answered in a form that is not known here: usually another major version. */
export class BackupOutputUnexpectedError extends ChronawflowError {
  readonly code = 'BACKUP_OUTPUT_UNEXPECTED';

  constructor(command: string, reason: string, cause?: unknown) {
    super(`the output of pgbackrest ${command} is not understood: ${reason}`, {
      cause,
      hint: 'Tried with pgBackRest 2.45; `pgbackrest version` says what is installed.',
      details: { command },
    });
  }
}
