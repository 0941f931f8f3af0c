import { ChronawflowError } from '../../core/errors';

/** A side did not do the job that it was timed for, or the machine cannot tell what was asked: there is no figure. */
export class MeasurementInvalidError extends ChronawflowError {
  readonly code = 'MEASUREMENT_INVALID';

  constructor(message: string, hint = 'Run it again; if it happens again, the side named above is broken.') {
    super(message, { hint });
  }
}
