import type { ClientBase } from 'pg';
import { inTransaction } from '../../../database';
import type { RecoveryContext } from '../engine';
import { dropRestoreRelations } from './drop-relations';
import { findRecord, lockRecord, type RecordState } from './restore-record';

/**
 * Settles a cancellation against a merge that may be committing: whoever locks the record first decides, and the other
 * finds out (invariant 14).
 */
export async function cancelRestore(
  ctx: RecoveryContext,
  restoreId: string,
): Promise<'cancelled' | 'merged'> {
  return inTransaction(ctx.application, async (tx) => {
    if ((await findRecord(tx, restoreId)) === undefined) return 'cancelled';
    const record = await lockRecord(tx, restoreId);
    if (record.state === 'merged') return 'merged';
    if (record.state === 'active') await setState(tx, restoreId, 'cancelled');
    return 'cancelled';
  });
}

/** Drops the restore's staging and closes its record, which lets the next restore of the tenant begin. */
export async function closeRestore(
  ctx: RecoveryContext,
  restoreId: string,
  state: Exclude<RecordState, 'active'>,
): Promise<void> {
  const record = await findRecord(ctx.application, restoreId);
  if (record === undefined || record.closed) return;
  await dropRestoreRelations(ctx.application, restoreId, ['stage', 'mapped', 'completed', 'preview']);
  // What a merge wrote stays for undo; without a merge there is nothing to undo.
  if (record.state !== 'merged')
    await dropRestoreRelations(ctx.application, restoreId, ['changes', 'packed', 'before']);
  await inTransaction(ctx.application, async (tx) => {
    const locked = await lockRecord(tx, restoreId);
    // Only the merge itself may say that it merged, together with what it wrote.
    if (locked.state !== 'merged') await setState(tx, restoreId, state === 'merged' ? 'failed' : state);
    await tx.query('update chronawflow.restore set closed_at = clock_timestamp() where id = $1', [restoreId]);
  });
}

/** Drops pre-images whose retention is over. @returns the restores concerned. */
export async function expirePreimages(ctx: RecoveryContext): Promise<string[]> {
  const { rows } = await ctx.application.query<{ id: string }>(
    `select id from chronawflow.restore where closed_at is not null and preimages_until < clock_timestamp()`,
  );
  for (const { id } of rows) {
    await dropRestoreRelations(ctx.application, id, ['changes', 'packed', 'before']);
    await ctx.application.query('update chronawflow.restore set preimages_until = null where id = $1', [id]);
  }
  return rows.map((row) => row.id);
}

async function setState(tx: ClientBase, restoreId: string, state: RecordState): Promise<void> {
  await tx.query('update chronawflow.restore set state = $2, updated_at = clock_timestamp() where id = $1', [
    restoreId,
    state,
  ]);
}
