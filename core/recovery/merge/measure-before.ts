import type { Pool } from 'pg';
import { SET_BULK_SETTINGS } from '../diff/bulk-settings';
import { setImageSettings } from '../diff/image.pure';
import { measureLiveTable, type SliceLanes } from '../diff/measure-slice';
import type { RecoveryContext } from '../engine';
import { sharedBy } from '../sessions';
import { tableName } from '../slice/catalog-types';
import { largestFirst } from '../slice/largest-first';
import type { SlicePlan } from '../slice/plan-types';

/**
 * The tenant's rows as the merge finds them. It has written nothing yet and holds the gate, so what other sessions read is
 * what it reads. Whoever wrote in spite of the freeze is noticed all the same, since the digest after the merge would be
 * another one than expected.
 */
export async function measureBefore(
  ctx: RecoveryContext,
  pool: Pool,
  restoreId: string,
  plan: SlicePlan,
): Promise<SliceLanes> {
  const sessions = sharedBy(
    pool,
    ctx.config.recovery.sessions,
    async (session) => {
      await session.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
    },
    { readOnly: true, statementTimeoutMs: ctx.config.recovery.mergeLimit },
  );
  const order = await largestFirst(pool, plan.tables);
  const measured = await sessions.each(
    order,
    async (session, table) =>
      [tableName(table), await measureLiveTable(session, restoreId, plan, table)] as const,
  );
  return new Map(measured);
}
