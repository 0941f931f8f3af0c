import { ChronawflowError } from '../../errors';

/** The tenant table has no such row; the job was not taken. */
export class UnknownJobTenantError extends ChronawflowError {
  readonly code = 'UNKNOWN_TENANT';
  override readonly kind = 'usage';

  constructor(tenant: string, table: string) {
    super(`There is no tenant ${tenant}: ${table} has no such row.`, {
      hint: 'Give the tenant’s key as the database prints it.',
      details: { tenant, table },
    });
  }
}
