import type { ClientBase, Pool } from 'pg';
import type { TenancyConfig } from '../../../config';
import { inTransaction } from '../../../database';
import { TenantAbsentAtTargetError } from '../errors/tenant-absent-at-target-error';
import { TenantTableMissingError } from '../errors/tenant-table-missing-error';
import { UnknownTenantError } from '../errors/unknown-tenant-error';
import { findTenant } from '../slice/tenant-row';

/** A tenant that is nowhere is unknown; one that was not there at the target needs `--allow-empty`. */
export async function checkPresence(
  tx: ClientBase,
  scratch: Pool,
  tenancy: TenancyConfig,
  tenant: string,
  allowEmpty: boolean,
): Promise<void> {
  const now = await findTenant(tx, tenancy, tenant);
  if (await existedAtTarget(scratch, tenancy, tenant)) return;
  if (!now.exists)
    throw new UnknownTenantError(tenant, { table: tenancy.table, key: tenancy.key, when: 'at the target' });
  if (!allowEmpty) throw new TenantAbsentAtTargetError(tenant);
}

/** A tenant table that was made since the target had no tenants then. */
async function existedAtTarget(scratch: Pool, tenancy: TenancyConfig, tenant: string): Promise<boolean> {
  try {
    const { exists } = await inTransaction(scratch, (source) => findTenant(source, tenancy, tenant), {
      readOnly: true,
    });
    return exists;
  } catch (error) {
    if (error instanceof TenantTableMissingError) return false;
    throw error;
  }
}
