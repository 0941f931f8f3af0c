import { ChronawflowError } from '../errors';

/** Another `chronawflow up` or `down` works on the same stack. */
export class StackBusyError extends ChronawflowError {
  readonly code = 'STACK_BUSY';
  override readonly kind = 'refused';
  override readonly retryable = true;

  constructor(directory: string, pid: number | undefined) {
    super(
      `the stack in ${directory} is held by ${pid === undefined ? 'another process' : `process ${pid}`}`,
      {
        hint: 'Use the running one, stop it with `chronawflow down`, or choose another --directory.',
        details: { directory, pid },
      },
    );
  }
}
