import { ChronawflowError } from '../../errors';

/** The target lies after what has happened, by the application database's clock or WAL position. */
export class TargetInFutureError extends ChronawflowError {
  readonly code = 'TARGET_IN_FUTURE';
  override readonly kind = 'usage';

  constructor(target: string, now: string) {
    super(`the target ${target} lies in the future: the application database is at ${now}`, {
      hint: "Give a target that has passed. Times are compared with the database's own clock; '0s ago' means now.",
      details: { target, now },
    });
  }
}
