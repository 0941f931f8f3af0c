import { BackupCommandFailedError } from '../../errors/backup-command-failed-error';

/** pgBackRest could not write a file. Whoever knows the directory decides whether its disk is full. */
export class RestoreCannotWriteError extends BackupCommandFailedError {
  constructor(command: string, message: string) {
    super(command, 'a write error', message);
  }
}
