import { ChronawflowError } from '../../errors';

/** Nobody says whether the control plane was set back. */
export class WitnessAwayError extends ChronawflowError {
  readonly code = 'WITNESS_AWAY';
  override readonly retryable = true;

  constructor(witnesses: readonly string[], cause: unknown) {
    super(`No intent is accepted: none of the witnesses ${witnesses.join(', ')} answers.`, {
      cause,
      hint: 'Start a witness, or set operators.whenWitnessesAreAway: accept.',
      details: { witnesses },
    });
  }
}
