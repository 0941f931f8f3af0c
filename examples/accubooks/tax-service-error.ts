import { ChronawflowError } from '../../core/errors';

/** The tax service answered, but not with a rate. */
export class TaxServiceError extends ChronawflowError {
  readonly code = 'ACCUBOOKS_TAX_SERVICE';
  override readonly retryable: boolean;

  constructor(country: string, status: number) {
    super(`The tax service answered with status ${status} for '${country}'.`, {
      details: { country, status },
    });
    // 4xx will be 4xx again; only the service's own trouble is worth another try.
    this.retryable = status >= 500;
  }
}
