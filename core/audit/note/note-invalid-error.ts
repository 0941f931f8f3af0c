import { ChronawflowError } from '../../errors';

/** A text that should be a signed note, a checkpoint or a key is none. */
export class NoteInvalidError extends ChronawflowError {
  readonly code = 'NOTE_INVALID';
  override readonly retryable = false;

  constructor(what: string, reason: string) {
    super(`this is no ${what}: ${reason}`, {
      hint: 'Compare it with the file as it was written; one changed character is enough.',
      details: { what },
    });
  }
}
