import { ChronawflowError } from '../../errors';

/** The tenant table has no such row, now or (when its row was deleted) at the target. */
export class UnknownTenantError extends ChronawflowError {
  readonly code = 'UNKNOWN_TENANT';
  override readonly kind = 'usage';

  constructor(
    tenant: string,
    where: { readonly table: string; readonly key: string; readonly when: 'now' | 'at the target' },
  ) {
    super(`There is no tenant ${tenant}: ${where.table} has no row with that ${where.key} ${where.when}.`, {
      hint:
        where.when === 'now'
          ? 'If the tenant’s own row was deleted and shall come back, repeat with --tenant-deleted.'
          : 'Choose a later target, or check the spelling of the tenant’s key.',
      details: { tenant, ...where },
    });
  }
}
