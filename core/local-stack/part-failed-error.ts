import { ChronawflowError } from '../errors';
import type { PartName } from './part';

/** A part of the local stack did not come up. */
export class PartFailedError extends ChronawflowError {
  readonly code = 'STACK_PART_FAILED';
  override readonly retryable = true;

  constructor(part: PartName, reason: string, log: string, cause?: unknown) {
    super(`${part} did not start: ${reason}${log === '' ? '' : `\n${log}`}`, {
      cause,
      hint: 'Run `chronawflow doctor` to see which dependency is missing.',
      details: { part, reason },
    });
  }
}
