import { ChronawflowError } from '../../errors';
import type { Decision } from '../decision';

/** The tenant's limit is reached; nothing was done. */
export class RateLimitedError extends ChronawflowError {
  readonly code = 'RATE_LIMITED';
  override readonly kind = 'refused';
  override readonly retryable: boolean;

  constructor(
    readonly tenant: string,
    readonly resource: string,
    readonly decision: Decision,
  ) {
    const never = decision.retryAfterMs === Number.POSITIVE_INFINITY;
    super(
      `Tenant '${tenant}' has reached its limit of ${decision.limit} for '${resource}' (${decision.reason}).`,
      {
        hint: never
          ? 'This request costs more than the whole limit: make it smaller, or raise the limit.'
          : `Try again in ${Math.ceil(decision.retryAfterMs)} ms.`,
        details: { tenant, resource, limit: decision.limit, reason: decision.reason },
      },
    );
    this.retryable = !never;
  }
}
