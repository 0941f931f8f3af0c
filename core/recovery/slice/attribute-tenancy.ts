import type { Pool } from 'pg';
import type { TenancyConfig } from '../../../config';
import { inTransaction, quoteIdentifier, quoteQualified } from '../../../database';
import type { Attribution } from './attribution.pure';
import { loadSlice } from './load-slice';
import { parseTableName } from './tenant-row';

/**
 * How the tables of the application are attributed, as every restore will do it. With one schema for each tenant they are
 * those of some tenant.
 *
 * @returns undefined while there is no tenant whose schema could be looked at.
 * @throws AttributionUnclearError naming every table and the override to write.
 */
export async function attributeTenancy(pool: Pool, tenancy: TenancyConfig): Promise<Attribution | undefined> {
  return inTransaction(
    pool,
    async (tx) => {
      if (tenancy.model !== 'schema') return (await loadSlice(tx, tenancy, '')).attribution;
      const { rows } = await tx.query<{ tenant: string }>(
        `select ${quoteIdentifier(tenancy.key)}::text as tenant from ${quoteQualified(parseTableName(tenancy.table))} order by 1 limit 1`,
      );
      return rows[0] && (await loadSlice(tx, tenancy, rows[0].tenant)).attribution;
    },
    { readOnly: true },
  );
}
