import type { ClientBase, Pool } from 'pg';
import { StagingLostError } from '../errors/staging-lost-error';
import type { UndoneCounts } from '../types';
import { COPIED, completionsTable, returnedSql, undoneSql } from './undone-sql.pure';

/** The reason of the dead letters of jobs that were not over when steps of theirs were undone. */
const DEAD_REASON = 'EFFECTS_UNDONE';

/** Of rows as `undoneSql` gives them. */
export const COUNTS = `
  count(distinct (tenant, type, key)) filter (where kind <> 'request')::integer as jobs,
  count(*) filter (where kind = 'step')::integer as steps,
  count(*) filter (where kind = 'request')::integer as requests`;

/** What a merge would mark. Undefined when an earlier version staged the restore. @throws StagingLostError */
export async function countUndone(
  tx: ClientBase,
  restoreId: string,
  tenant: string,
): Promise<UndoneCounts | undefined> {
  if (!(await isStaged(tx, restoreId))) return undefined;
  const { rows } = await tx.query<UndoneCounts>(
    `select ${COUNTS} from (${undoneSql(completionsTable(restoreId))}) undone`,
    [tenant],
  );
  return rows[0];
}

/**
 * Marks what was completed after the target, at the end of the merge's transaction. The records themselves stay: what was
 * done outside is done. A job that is not over must not go on with steps whose rows are gone: it becomes a dead letter.
 */
export async function markUndone(
  tx: ClientBase,
  restoreId: string,
  tenant: string,
): Promise<UndoneCounts | undefined> {
  if (!(await isStaged(tx, restoreId))) return undefined;
  const completions = completionsTable(restoreId);
  await tx.query(returnedSql(completions), [tenant]);
  await tx.query(
    `insert into chronawflow.undone_effect (restore_id, tenant, kind, type, key, step, owner, completed_at)
     select $2, $1, kind, type, key, step, owner, completed_at from (${undoneSql(completions)}) undone
     on conflict do nothing`,
    [tenant, restoreId],
  );
  await stopUnfinished(tx, restoreId, tenant);
  await keepUntilDecided(tx, restoreId, tenant);
  return countMarks(tx, restoreId);
}

/** An undo puts back what the undone restore took away: what nobody has decided about needs no decision any more. */
export async function withdrawMarks(tx: ClientBase, undoOf: string): Promise<void> {
  await tx.query(`delete from chronawflow.undone_effect where restore_id = $1 and state = 'open'`, [undoOf]);
}

/** Jobs and requests that were redriven since: an undo would put their first effects beside the second ones. */
export async function countRedriven(tx: ClientBase, undoOf: string): Promise<number> {
  const { rows } = await tx.query<{ redriven: number }>(
    `select count(distinct (tenant, type, key))::integer as redriven
     from chronawflow.undone_effect where restore_id = $1 and state = 'redriven'`,
    [undoOf],
  );
  return rows[0]?.redriven ?? 0;
}

/** Whether the restore knows what was completed at its target. @throws StagingLostError */
export async function isStaged(db: ClientBase | Pool, restoreId: string): Promise<boolean> {
  const table = completionsTable(restoreId);
  const there = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table]);
  if (!there.rows[0]?.there) return false;
  const { rowCount } = await db.query(`select from ${table} where kind = '${COPIED}'`);
  if (rowCount !== 1) throw new StagingLostError(restoreId, 'the completed records');
  return true;
}

/** FOR UPDATE, as every change of a job's owner (core/jobs, invariant 4); park-jobs.ts has taken attempts away before. */
async function stopUnfinished(tx: ClientBase, restoreId: string, tenant: string): Promise<void> {
  await tx.query(
    `with unfinished as (
       select j.tenant, j.type, j.key from chronawflow.job j
       where j.tenant = $1 and j.state in ('waiting', 'handed', 'running') and exists (
         select from chronawflow.undone_effect u
         where u.restore_id = $2 and u.tenant = $1 and u.kind = 'step' and u.type = j.type and u.key = j.key)
       for update
     ), stopped as (
       update chronawflow.job j set state = 'dead', owner = null, lease_until = null, waits_for = null,
         finished_at = clock_timestamp()
       from unfinished f where j.tenant = f.tenant and j.type = f.type and j.key = f.key
       returning j.tenant, j.type, j.key, j.attempts, j.errors)
     insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors)
     select tenant, type, key, '${DEAD_REASON}', attempts, errors from stopped`,
    [tenant, restoreId],
  );
}

async function keepUntilDecided(tx: ClientBase, restoreId: string, tenant: string): Promise<void> {
  await tx.query(
    `update chronawflow.job j set expires_at = null
     from chronawflow.undone_effect u
     where u.restore_id = $2 and u.tenant = $1 and u.kind <> 'request' and u.state = 'open'
       and j.tenant = u.tenant and j.type = u.type and j.key = u.key and j.expires_at is not null`,
    [tenant, restoreId],
  );
}

async function countMarks(tx: ClientBase, restoreId: string): Promise<UndoneCounts | undefined> {
  const { rows } = await tx.query<UndoneCounts>(
    `select ${COUNTS} from chronawflow.undone_effect where restore_id = $1`,
    [restoreId],
  );
  return rows[0];
}
