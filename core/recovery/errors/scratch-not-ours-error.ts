import { ChronawflowError } from '../../errors';

/** There is something in the directory that no restore made; it is never written to or removed. */
export class ScratchNotOursError extends ChronawflowError {
  readonly code = 'SCRATCH_NOT_OURS';

  constructor(directory: string, reason: string) {
    super(`${directory} is left alone: ${reason}`, {
      hint: 'Move it away yourself, or choose another directory.',
      details: { directory },
    });
  }
}
