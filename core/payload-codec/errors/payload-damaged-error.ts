import { ChronawflowError } from '../../errors';

/** An encrypted payload does not open: it is not what was encrypted. */
export class PayloadDamagedError extends ChronawflowError {
  readonly code = 'PAYLOAD_DAMAGED';

  constructor(reason: string, cause?: unknown) {
    super(`An encrypted payload cannot be opened: ${reason}.`, {
      cause,
      hint: 'Look whether Temporal’s database was restored or edited, and whether the namespace in chronawflow.yaml is the one it was written in.',
    });
  }
}
