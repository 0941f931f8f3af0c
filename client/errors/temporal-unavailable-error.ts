import { ChronawflowError } from '../../core/errors';

/** Temporal did not answer. Whether a request reached it is not known; asking again is safe. */
export class TemporalUnavailableError extends ChronawflowError {
  readonly code = 'TEMPORAL_UNAVAILABLE';
  override readonly retryable = true;

  constructor(address: string, cause: unknown) {
    super(`Temporal at ${address} does not answer.`, {
      cause,
      hint: 'Check temporal.address in the configuration and the server; `chronawflow doctor` checks both.',
      details: { address },
    });
  }
}
