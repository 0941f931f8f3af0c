import { ChronawflowError } from '../../errors';

/** The tenant exists now and did not at the target: a restore would delete all of it. */
export class TenantAbsentAtTargetError extends ChronawflowError {
  readonly code = 'TENANT_ABSENT_AT_TARGET';
  override readonly kind = 'refused';

  constructor(tenant: string) {
    super(`Tenant ${tenant} did not exist at the target; restoring it would delete everything it has now.`, {
      hint: 'Choose a later target, or repeat with --allow-empty if that is what you want.',
      details: { tenant },
    });
  }
}
