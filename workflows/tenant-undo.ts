import { CancellationScope } from '@temporalio/workflow';
import type { PreparedUndo } from '../activities/types';
import type { RestoreReport, TenantUndoInput } from '../core/recovery/types';
import { type Decided, decideAndMerge } from './decide-and-merge';
import { decisionCheck } from './decision-check';
import { textOf } from './failures';
import { OperationBoard } from './operation-board';
import { endingOf, type Findings, settle } from './settle';
import { long, quick } from './steps';

/**
 * Puts back the rows that a merged restore wrote over. The same preview, approval, merge and clean-up as a restore;
 * the rows come from the restore's pre-images, so there is no target and no scratch cluster.
 */
export async function tenantUndo(input: TenantUndoInput): Promise<RestoreReport> {
  const board = new OperationBoard('undo', textOf(input, 'tenant'));
  // Short, and entered in the journal at once: a cancellation takes effect after it, so that the journal hears of it.
  const prepared = await CancellationScope.nonCancellable(() =>
    quick('Check the request').prepareUndo(input),
  );
  board.identify(prepared.operation.restoreId);
  if (prepared.signed) board.approvals.verifyWith(decisionCheck(prepared.operation));
  const findings: Findings = {};
  const ending = await endingOf(undo(board, prepared));
  return settle(board, prepared, findings, ending);
}

async function undo(
  board: OperationBoard,
  { operation, undoOf, ...prepared }: PreparedUndo,
): Promise<Decided> {
  await quick('Take the tenant for this undo').openRestore({ operation, undoOf, tenantDeleted: true });

  board.enter('staging');
  await long('Stage the rows that the restore wrote over').stageUndo({ operation });

  return decideAndMerge(board, { operation, ...prepared }, undefined);
}
