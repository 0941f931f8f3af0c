import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { OperationRef, PreparedClusterRestore } from '../activities/types';
import type { ClusterRestoreInput, ClusterRestoreReport } from '../core/recovery/types';
import { codeOf, endingFailure } from './failures';
import { OperationBoard } from './operation-board';
import { cleanUp, long, onScratchHost, quick } from './steps';

type Found = Pick<ClusterRestoreReport, 'target' | 'cluster'>;

/**
 * Restores the whole cluster to a target into a new directory. The running cluster is not touched, and the new one
 * starts with archiving, subscriptions and scheduled workers off: switching over is the operator's step.
 */
export async function clusterRestore(input: ClusterRestoreInput): Promise<ClusterRestoreReport> {
  const board = new OperationBoard('cluster');
  const prepared = await CancellationScope.nonCancellable(() =>
    quick('Check the request').prepareClusterRestore(input),
  );
  board.identify(prepared.restoreId);
  const { restoreId, requestedBy, intent } = prepared;
  const operation = { restoreId, tenant: '', requestedBy, ...(intent === undefined ? {} : { intent }) };
  let found: Found = {};
  try {
    found = await restoreInto(board, operation, prepared);
  } catch (error) {
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    await finish(board, operation, prepared, found, cancelled ? 'cancelled' : 'failed', codeOf(error));
    throw endingFailure(error);
  }
  return finish(board, operation, prepared, found, 'restored');
}

async function restoreInto(
  board: OperationBoard,
  operation: OperationRef,
  prepared: PreparedClusterRestore,
): Promise<Found> {
  board.enter('resolving');
  const target = await long('Resolve the target and wait for its WAL').resolveTarget({
    operation,
    target: prepared.target,
    timeline: prepared.timeline,
  });

  board.enter('verifying');
  await long('Verify backup and WAL up to the target').verifyBackup({ operation, target });

  board.enter('restoring-scratch');
  const host = await quick('Choose the host of the new cluster').chooseScratchHost();
  const cluster = await onScratchHost(host, 'Restore the cluster and check its target').restoreCluster({
    operation,
    target,
    into: prepared.into,
    promote: prepared.promote,
  });
  return { target, cluster };
}

async function finish(
  board: OperationBoard,
  operation: OperationRef,
  prepared: PreparedClusterRestore,
  found: Found,
  outcome: ClusterRestoreReport['outcome'],
  errorCode?: string,
): Promise<ClusterRestoreReport> {
  return CancellationScope.nonCancellable(async () => {
    board.end(outcome);
    const report: ClusterRestoreReport = {
      restoreId: prepared.restoreId,
      workflowId: board.workflowId,
      outcome,
      into: prepared.into,
      requestedBy: prepared.requestedBy,
      ...found,
      ...(errorCode === undefined ? {} : { errorCode }),
      steps: board.steps,
      startedAt: new Date(board.startedAt).toISOString(),
      finishedAt: new Date(Date.now()).toISOString(),
    };
    await cleanUp('Store the report').finishClusterRestore({ operation, report });
    return report;
  });
}
