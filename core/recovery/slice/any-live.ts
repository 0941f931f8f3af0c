import type { ClientBase } from 'pg';
import { quoteQualified } from '../../../database';
import type { PlanTable } from './plan-types';

/** Whether the live table has any row `t` for which `condition` holds, with the tenant as `$1`. */
export async function anyLive(
  tx: ClientBase,
  tenant: string,
  table: PlanTable,
  condition: string,
): Promise<boolean> {
  const { rows } = await tx.query<{ any: boolean }>(
    `select exists (select from ${quoteQualified(table)} t where $1::text is not null and ${condition}) as any`,
    [tenant],
  );
  return rows[0]?.any ?? true;
}
