import { ChronawflowError } from '../../errors';

/** A part of the sealed log is not there or not what it has to be. */
export class LogDamagedError extends ChronawflowError {
  readonly code = 'AUDIT_LOG_DAMAGED';
  override readonly retryable = false;

  constructor(
    origin: string,
    /** Without the origin. */
    readonly what: string,
  ) {
    super(`log ${origin}: ${what}`, {
      hint: 'Keep what you have as evidence, then run `chronawflow audit verify`, which names every damage.',
      details: { origin },
    });
  }
}
