import { ChronawflowError } from '../../errors';

/** The fault could not be brought about; what had been done of it is taken back. */
export class FaultNotInjectedError extends ChronawflowError {
  readonly code = 'CHAOS_FAULT_NOT_INJECTED';

  constructor(leaseId: string, driver: string, reason: string, cause?: unknown) {
    super(`The fault ${driver} (lease ${leaseId}) was not injected: ${reason}`, {
      cause,
      details: { leaseId, driver },
    });
  }
}
