import { ChronawflowError } from '../../errors';

/** A level would be left before its dwell is over by the database's clock, or beyond the hour's budget; the same call succeeds then. */
export class LevelTooEarlyError extends ChronawflowError {
  readonly code = 'LEVEL_TOO_EARLY';
  override readonly retryable = true;

  constructor(scope: string, inMs: number) {
    super(`The level of ${scope} can be left in ${Math.ceil(inMs / 1_000)} s.`, {
      hint: 'The controller tries again by itself.',
      details: { scope, inMs: Math.round(inMs) },
    });
  }
}
