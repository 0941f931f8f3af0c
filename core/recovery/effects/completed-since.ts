import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import type { RecoveryContext, StepControl } from '../engine';
import type { CompletedSince, UndoneCounts } from '../types';
import { copyAllCompletions } from './stage-completions';
import { COUNTS } from './undone-effects';
import { undoneOfAllSql } from './undone-sql.pure';

/** Reports are results of workflows: they stay small. */
const FIRST = 100;

/** What the running cluster knows to have been completed after the target of `restored`, over all tenants. */
export function completedSince(
  ctx: RecoveryContext,
  restored: Pool,
  control: StepControl,
): Promise<CompletedSince> {
  control.progress?.({ step: 'comparing what was completed' });
  return inTransaction(ctx.application, async (tx) => {
    await copyAllCompletions(restored, tx, 'completed_at_target', control);
    await tx.query(
      `create temporary table completed_since on commit drop as ${undoneOfAllSql('completed_at_target')}`,
    );
    const counts = await tx.query<UndoneCounts>(`select ${COUNTS} from completed_since`);
    const first = await tx.query<CompletedSince['first'][number]>(
      `select tenant, kind, type, key, step, completed_at as "completedAt" from completed_since
       order by completed_at, tenant, type, key, kind, step limit ${FIRST}`,
    );
    return { jobs: 0, steps: 0, requests: 0, ...counts.rows[0], first: first.rows };
  });
}

/**
 * Holds everything back that stands in the promoted cluster's queue: as of the target, jobs are still to be done whose calls
 * outside were made since. Somebody looks first, then releases.
 */
export async function holdQueue(restored: Pool, restoreId: string): Promise<void> {
  const { rows } = await restored.query<{ there: boolean }>(
    `select to_regclass('chronawflow.job_hold') is not null as there`,
  );
  if (!rows[0]?.there) return;
  await restored.query(
    `insert into chronawflow.job_hold (tenant, type, reason, held_by) values ('', '', $1, 'chronawflow')
     on conflict do nothing`,
    [`restored by ${restoreId}: see what was completed after its target, then release`],
  );
}
