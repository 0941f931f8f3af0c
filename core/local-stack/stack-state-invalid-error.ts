import { ChronawflowError } from '../errors';

/** What a stack remembered of itself is not what this release wrote. */
export class StackStateInvalidError extends ChronawflowError {
  readonly code = 'STACK_STATE_INVALID';

  constructor(file: string, cause: unknown) {
    super(`${file} cannot be understood`, {
      cause,
      hint: 'Start a new stack with another --directory, or remove this directory when nothing of it runs any more.',
      details: { file },
    });
  }
}
