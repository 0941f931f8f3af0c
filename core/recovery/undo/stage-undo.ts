import type { ClientBase } from 'pg';
import { inTransaction, quoteList } from '../../../database';
import { imageColumn, imageDigest, setImageSettings } from '../diff/image.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { erasedPart, erasedSince, eraseStaged } from '../erase/erase-staged';
import { NotUndoableError } from '../errors/not-undoable-error';
import { RestoreClosedError } from '../errors/restore-closed-error';
import { SchemaChangedError } from '../errors/schema-changed-error';
import { dropRestoreRelations } from '../record/drop-relations';
import { relationExists } from '../record/relation-exists';
import { loadRecord, type RestoreRecord, savePlan } from '../record/restore-record';
import { tableName } from '../slice/catalog-types';
import { indexStage } from '../slice/index-stage';
import { planLive } from '../slice/plan-live';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import { beforeTable, stageTable } from '../slice/restore-tables.pure';
import type { Staged } from '../slice/stage-slice';
import { createStageSql } from '../slice/stage-sql.pure';
import { unpackAllChanges } from './unpack-changes';

/**
 * Stages the pre-images that a merged restore kept, in place of a scratch cluster's rows. From here on an undo is a
 * restore like any other, bounded to the rows that the undone one wrote (invariant 20).
 */
export async function stageUndo(
  ctx: RecoveryContext,
  restoreId: string,
  control: StepControl,
): Promise<Staged> {
  const record = await loadRecord(ctx.application, restoreId);
  if (record.state !== 'active') throw new RestoreClosedError(restoreId, record.state);
  const undone = await undoableRestore(ctx, record);
  const plan = await undoPlan(ctx, restoreId, record.tenant, undone.plan, undone.id);
  const erased = await erasedSince(ctx, record.tenant, undone.createdAt);
  await unpackAllChanges(ctx, undone.id, undone.plan, control);
  await dropRestoreRelations(ctx.application, restoreId, ['preview', 'stage']);
  const tables: PlanTable[] = [];
  let rowsErased = 0;
  for (const table of plan.tables) {
    control.signal?.throwIfAborted();
    control.progress?.({
      step: `staging pre-images of ${tableName(table)}`,
      done: table.n,
      total: plan.tables.length,
    });
    const stagedRows = await inTransaction(ctx.application, async (tx) => {
      const staged = await stagePreimages(tx, restoreId, undone.id, plan, table);
      const found = await eraseStaged(tx, ctx, restoreId, table, erased);
      rowsErased += found.erased;
      await indexStage(tx, restoreId, table);
      await tx.query(`analyze ${stageTable(restoreId, table)}`);
      return staged - found.removed;
    });
    tables.push({ ...table, stagedRows });
  }
  await savePlan(ctx.application, restoreId, { ...plan, tables, ...erasedPart(erased, rowsErased) });
  return { rows: tables.reduce((sum, table) => sum + table.stagedRows, 0), bytes: 0 };
}

async function undoableRestore(
  ctx: RecoveryContext,
  undo: RestoreRecord,
): Promise<{ readonly id: string; readonly plan: SlicePlan; readonly createdAt: string }> {
  const id = undo.undoOf ?? '';
  const undone = await loadRecord(ctx.application, id);
  if (undone.tenant !== undo.tenant) throw new NotUndoableError(id, undo.tenant, 'it is of another tenant');
  if (undone.state !== 'merged' || undone.plan === undefined)
    throw new NotUndoableError(id, undo.tenant, `it is ${undone.state}`);
  const { rows } = await ctx.application.query<{ kept: boolean; created_at: string }>(
    'select preimages_until is not null and preimages_until > clock_timestamp() as kept, created_at from chronawflow.restore where id = $1',
    [id],
  );
  const [row] = rows;
  if (!row?.kept) throw new NotUndoableError(id, undo.tenant, 'its pre-images are past their retention');
  return { id, plan: undone.plan, createdAt: row.created_at };
}

/** Today's plan of the same tables, over the columns that the pre-images have. */
async function undoPlan(
  ctx: RecoveryContext,
  restoreId: string,
  tenant: string,
  undone: SlicePlan,
  undoOf: string,
): Promise<SlicePlan> {
  const today = await inTransaction(ctx.application, (tx) => planLive(tx, ctx.config.tenancy, tenant));
  const tables = undone.tables.map((then): PlanTable => {
    const now = today.tables.find((one) => tableName(one) === tableName(then));
    const sameKey = now?.key.join('\0') === then.key.join('\0');
    const columns = now?.columns.filter((column) =>
      then.liveColumns.some((one) => one.name === column.name && one.type === column.type),
    );
    const written = then.columns.every((column) => columns?.some((one) => one.name === column.name));
    if (now === undefined || columns === undefined || !sameKey || !written)
      throw new SchemaChangedError(restoreId);
    return { ...now, n: then.n, columns, writtenColumns: then.columns };
  });
  return { ...today, undoOf, tables };
}

async function stagePreimages(
  tx: ClientBase,
  restoreId: string,
  undoOf: string,
  plan: SlicePlan,
  table: PlanTable,
): Promise<number> {
  await tx.query(setImageSettings(plan.searchPath));
  await tx.query(createStageSql(restoreId, table));
  if (!(await relationExists(tx, beforeTable(undoOf, table)))) return 0;
  const columns = table.columns.map((column) => column.name);
  const { rowCount } = await tx.query(
    `insert into ${stageTable(restoreId, table)} (${quoteList([...columns, ...imageColumn(table)])})
     select ${[quoteList(columns, 'b.'), ...imageColumn(table).map(() => imageDigest(table.columns, 'b'))].join(', ')} from ${beforeTable(undoOf, table)} b`,
  );
  return rowCount ?? 0;
}
