import { ChronawflowError } from '../errors';

/** There is no local stack in the directory. */
export class StackMissingError extends ChronawflowError {
  readonly code = 'STACK_MISSING';
  override readonly kind = 'usage';

  constructor(directory: string) {
    super(`there is no local stack in ${directory}`, {
      hint: 'Start one with `chronawflow up`, or name its directory with --directory.',
      details: { directory },
    });
  }
}
