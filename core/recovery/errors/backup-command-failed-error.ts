import { ChronawflowError } from '../../errors';

/** The backup tool could not do what it was asked; its own message is kept, secrets taken out. */
export class BackupCommandFailedError extends ChronawflowError {
  readonly code = 'BACKUP_COMMAND_FAILED';
  override readonly retryable = true;

  constructor(command: string, exit: number | string, message: string) {
    super(`pgbackrest ${command} ended with ${exit}: ${message || 'no output'}`, {
      hint: 'The message is from pgBackRest; `chronawflow doctor` checks its configuration and the repository.',
      details: { command, exit },
    });
  }
}
