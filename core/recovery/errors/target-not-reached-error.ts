import { ChronawflowError } from '../../errors';

/** Recovery on the scratch cluster ended before the target; what it holds is not the state that was asked for. */
export class TargetNotReachedError extends ChronawflowError {
  readonly code = 'TARGET_NOT_REACHED';

  /** @param log the lines of the scratch server's log that say why. */
  constructor(target: string, log: readonly string[]) {
    super(`recovery ended before the target ${target}: ${log.join(' | ') || 'the server gave no reason'}`, {
      hint: 'The write-ahead log ends or is damaged before the target: choose an earlier one, or check the repository.',
      details: { target, log },
    });
  }
}
