import { ChronawflowError } from '../errors';

/** A health check did not settle in its time. */
export class CheckTimeoutError extends ChronawflowError {
  readonly code = 'HEALTH_CHECK_TIMEOUT';
  override readonly retryable = true;

  constructor(component: string, limitMs: number) {
    super(`The check of '${component}' did not settle within ${limitMs} ms.`, { details: { component } });
  }
}
