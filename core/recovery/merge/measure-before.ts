import type { ClientBase } from 'pg';
import { SET_BULK_SETTINGS } from '../diff/bulk-settings';
import { setImageSettings } from '../diff/image.pure';
import { measureLive, measureLiveTable, type SliceLanes } from '../diff/measure-slice';
import type { RecoveryContext } from '../engine';
import { sharedBy, withSessionPool } from '../sessions';
import { tableName } from '../slice/catalog-types';
import { largestFirst } from '../slice/largest-first';
import type { SlicePlan } from '../slice/plan-types';

/** Below this the merge's own session is done before others are connected. */
const ROWS_WORTH_SESSIONS = 150_000;

/**
 * The tenant's rows as the merge finds them. It has written nothing yet and holds the gate, so what other sessions read is
 * what it reads: a large slice is shared among several. Whoever wrote in spite of the freeze is noticed all the same, since
 * the digest after the merge would be another one than expected.
 */
export async function measureBefore(
  ctx: RecoveryContext,
  tx: ClientBase,
  restoreId: string,
  plan: SlicePlan,
): Promise<SliceLanes> {
  const rows = plan.tables.reduce((sum, table) => sum + table.stagedRows, 0);
  if (rows < ROWS_WORTH_SESSIONS) return measureLive(tx, restoreId, plan);
  return withSessionPool(ctx, async (pool) => {
    const sessions = sharedBy(
      pool,
      ctx.config.recovery.sessions,
      async (session) => {
        await session.query(`${setImageSettings(plan.searchPath)}; ${SET_BULK_SETTINGS}`);
      },
      { readOnly: true, statementTimeoutMs: ctx.config.recovery.mergeLimit },
    );
    const order = await largestFirst(tx, plan.tables);
    const measured = await sessions.each(
      order,
      async (session, table) =>
        [tableName(table), await measureLiveTable(session, restoreId, plan, table)] as const,
    );
    return new Map(measured);
  });
}
