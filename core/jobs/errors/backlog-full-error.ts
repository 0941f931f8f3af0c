import { ChronawflowError } from '../../errors';

/** The tenant has as many jobs waiting as it may; this one was not taken. */
export class BacklogFullError extends ChronawflowError {
  readonly code = 'BACKLOG_FULL';
  override readonly kind = 'refused';
  override readonly retryable = true;

  constructor(
    tenant: string,
    limit: number,
    /** When it may be worth to try again, in milliseconds. */
    readonly retryAfterMs: number,
  ) {
    super(`Tenant ${tenant} has ${limit} jobs waiting, which is its limit.`, {
      hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s, or raise jobs.tenantBacklog.`,
      details: { tenant, limit, retryAfterMs },
    });
  }
}
