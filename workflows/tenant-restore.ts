import { CancellationScope } from '@temporalio/workflow';
import type { PreparedRestore } from '../activities/types';
import type { RestoreReport, TenantRestoreInput } from '../core/recovery/types';
import { type Decided, decideAndMerge } from './decide-and-merge';
import { textOf } from './failures';
import { OperationBoard } from './operation-board';
import { endingOf, type Findings, settle } from './settle';
import { long, onScratchHost, quick } from './steps';

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
  const findings: Findings = {};
  const ending = await endingOf(restore(board, prepared, findings));
  return settle(board, prepared, findings, ending);
}

async function restore(
  board: OperationBoard,
  { operation, tenantDeleted, ...prepared }: PreparedRestore,
  findings: Findings,
): Promise<Decided> {
  await quick('Take the tenant for this restore').openRestore({ operation, tenantDeleted });

  board.enter('resolving');
  const target = await long('Resolve the target and wait for its WAL').resolveTarget({
    operation,
    target: prepared.target,
    timeline: prepared.timeline,
  });
  findings.target = target;

  board.enter('verifying');
  findings.verification = await long('Verify backup and WAL up to the target').verifyBackup({
    operation,
    target,
  });

  board.enter('restoring-scratch');
  const host = await quick('Choose the host of the scratch cluster').chooseScratchHost();
  findings.host = host;
  const scratch = await onScratchHost(host, 'Restore a scratch cluster to the target').restoreScratch({
    operation,
    target,
  });

  board.enter('validating');
  await onScratchHost(host, 'Check that scratch stands at the target').validateScratch({
    operation,
    target,
    scratch,
  });

  board.enter('staging');
  await onScratchHost(host, 'Stage the tenant’s rows at the target').stageSlice({
    operation,
    target,
    scratch,
  });

  return decideAndMerge(board, { operation, ...prepared }, { host, scratch, target });
}
