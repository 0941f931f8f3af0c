import { ChronawflowError } from '../../errors';

/** A probe or an action of an experiment did not come to a result. The journal says which and why. */
export class ActivityFailedError extends ChronawflowError {
  readonly code = 'CHAOS_ACTIVITY_FAILED';

  constructor(name: string, reason: string, cause?: unknown) {
    super(`${name}: ${reason}`, { cause, details: { activity: name } });
  }
}
