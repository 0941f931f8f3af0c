import { inTransaction } from '../../../database';
import type { RecoveryContext } from '../engine';
import { loadRecord } from '../record/restore-record';
import { isStaged } from './undone-effects';
import { completionsTable, undoneSql } from './undone-sql.pure';

/** Something that the restore takes back, or took back, the effects of; its record stays. */
export interface UndoneEffect {
  readonly kind: 'job' | 'step' | 'request';
  /** Of the job; of a request its scope and key. */
  readonly type: string;
  readonly key: string;
  /** '' but for a step. */
  readonly step: string;
  readonly completedAt: string;
  /** Absent before the merge. */
  readonly state?: 'open' | 'redriven' | 'left';
}

const ORDER = 'order by type, key, kind, step';

/** What is marked after the merge, what would be marked before it. @throws RestoreNotFoundError */
export async function pageUndone(
  ctx: RecoveryContext,
  restoreId: string,
  { offset = 0, limit = 100 }: { readonly offset?: number; readonly limit?: number },
): Promise<UndoneEffect[]> {
  const record = await loadRecord(ctx.application, restoreId);
  const marked = `select kind, type, key, step, completed_at as "completedAt", state
    from chronawflow.undone_effect where tenant = $1 and restore_id = $4 ${ORDER} offset $2 limit $3`;
  const values = [record.tenant, offset, limit];
  return inTransaction(
    ctx.application,
    async (tx) => {
      if (record.state !== 'active')
        return (await tx.query<UndoneEffect>(marked, [...values, restoreId])).rows;
      if (!(await isStaged(tx, restoreId))) return [];
      const found = await tx.query<UndoneEffect>(
        `select kind, type, key, step, completed_at as "completedAt" from (${undoneSql(completionsTable(restoreId))}) undone
         ${ORDER} offset $2 limit $3`,
        values,
      );
      return found.rows;
    },
    { readOnly: true },
  );
}
