import { ChronawflowError } from '../../errors';

/** The tenant exists now and did not at the target: a restore would delete all of it. */
export class TenantAbsentAtTargetError extends ChronawflowError {
  readonly code = 'TENANT_ABSENT_AT_TARGET';
  override readonly kind = 'refused';

  constructor(tenant: string, { tables = true }: { readonly tables?: boolean } = {}) {
    super(
      tables
        ? `Tenant ${tenant} did not exist at the target; restoring it would delete everything it has now.`
        : `None of the tables that hold rows of tenant ${tenant} existed at the target.`,
      {
        hint: tables
          ? 'Choose a later target, or repeat with --allow-empty if that is what you want.'
          : 'Choose a later target: a restore brings rows back, not tables.',
        details: { tenant },
      },
    );
  }
}
