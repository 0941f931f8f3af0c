import { ChronawflowError } from '../../errors';

/** Something in the backup repository is missing or is not what was written. */
export class BackupDamagedError extends ChronawflowError {
  readonly code = 'BACKUP_DAMAGED';

  /** @param files the damaged or missing files, as the repository or the restore names them; at most a few. */
  constructor(what: string, files: readonly string[], reason: string, cause?: unknown) {
    super(`${what} is damaged: ${reason}`, {
      cause,
      hint: 'Restore from another backup or repository, and make a new full backup now: chronawflow recovery create --kind full',
      details: { what, files: files.slice(0, 20), damaged: files.length },
    });
  }
}
