import { ChronawflowError } from '../../errors';

/** A proof before commit did not hold; the merge was rolled back and nothing was changed. */
export class ProofFailedError extends ChronawflowError {
  readonly code = 'PROOF_FAILED';

  constructor(what: string) {
    super(`The merge was rolled back: ${what}.`, {
      hint: 'Start the restore again: the preview will name the conflict, or other sessions changed those rows meanwhile.',
    });
  }
}
