import { CancellationScope } from '@temporalio/workflow';
import type { PreparedRestore } from '../activities/types';
import type { RestoreReport, TenantRestoreInput } from '../core/recovery/types';
import { type Decided, decideAndMerge } from './decide-and-merge';
import { decisionCheck } from './decision-check';
import { textOf } from './failures';
import { OperationBoard } from './operation-board';
import { endingOf, type Findings, settle } from './settle';
import { stageTarget } from './stage-target';
import { quick } from './steps';

/**
 * Brings one tenant's rows back to what they were at a target, while every other tenant goes on.
 *
 * Promises: nothing is written before exactly that diff was approved; everything is written in one transaction or not
 * at all; however it ends, the tenant can write again and the scratch cluster is gone.
 */
export async function tenantRestore(input: TenantRestoreInput): Promise<RestoreReport> {
  const board = new OperationBoard('restore', textOf(input, 'tenant'));
  // Short, and entered in the journal at once: a cancellation takes effect after it, so that the journal hears of it.
  const prepared = await CancellationScope.nonCancellable(() =>
    quick('Check the request').prepareRestore(input),
  );
  board.identify(prepared.operation.restoreId);
  if (prepared.signed) board.approvals.verifyWith(decisionCheck(prepared.operation));
  const findings: Findings = {};
  const ending = await endingOf(restore(board, prepared, findings));
  return settle(board, prepared, findings, ending);
}

async function restore(
  board: OperationBoard,
  prepared: PreparedRestore,
  findings: Findings,
): Promise<Decided> {
  const source = await stageTarget(board, prepared, findings);
  return decideAndMerge(board, prepared, source);
}
