import { ChronawflowError } from '../../errors';

/** The inverse ran and the probe still finds the fault, or cannot look. It is tried again until it is gone. */
export class FaultRemainsError extends ChronawflowError {
  readonly code = 'CHAOS_FAULT_REMAINS';
  override readonly retryable = true;

  constructor(leaseId: string, driver: string, reason: string, cause?: unknown) {
    super(`The fault ${driver} (lease ${leaseId}) could not be ended yet: ${reason}`, {
      cause,
      hint: 'The reaper goes on trying. docs/resilience/chaos.md says for each driver how to end it by hand.',
      details: { leaseId, driver },
    });
  }
}
