import { ChronawflowError } from '../../errors';

/** The control-plane database did not answer in time; its connection was given up. Breakers decide locally meanwhile. */
export class DatabaseSilentError extends ChronawflowError {
  readonly code = 'DATABASE_SILENT';
  override readonly retryable = true;

  constructor(limitMs: number) {
    super(`The control-plane database did not answer within ${limitMs} ms.`, { details: { limitMs } });
  }
}
