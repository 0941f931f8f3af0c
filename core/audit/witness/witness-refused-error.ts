import { ChronawflowError } from '../../errors';

/** A witness does not cosign: the log that it is shown does not hold what it has seen before. */
export class WitnessRefusedError extends ChronawflowError {
  readonly code = 'WITNESS_REFUSED';

  constructor(
    witness: string,
    status: number,
    answer: string,
    /** It may have been too busy; else it has seen another log. */
    override readonly retryable: boolean,
    /** How many entries it has seen, where that is more than there are. */
    readonly seen?: number,
  ) {
    super(`witness ${witness} does not cosign the audit log (${status}): ${answer.trim().slice(0, 200)}`, {
      hint: retryable
        ? 'Look whether it runs.'
        : 'It has seen a log with other entries. Compare with its checkpoint before anything else is done to this database.',
      details: { witness, status },
    });
  }
}
