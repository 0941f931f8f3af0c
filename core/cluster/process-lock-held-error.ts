import { ChronawflowError } from '../errors';

/** Another process has held a lock for longer than anything under it takes. */
export class ProcessLockHeldError extends ChronawflowError {
  readonly code = 'PROCESS_LOCK_HELD';
  override readonly retryable = true;

  constructor(directory: string, limitMs: number) {
    super(`another process of this host has held ${directory} for ${limitMs / 1000} s`, {
      hint: 'The file with the highest number there names its PID: see whether it stands still.',
      details: { directory },
    });
  }
}
