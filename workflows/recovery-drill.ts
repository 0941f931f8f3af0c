import { CancellationScope } from '@temporalio/workflow';
import type { PreparedRestore } from '../activities/types';
import type { RecoveryDrillInput, RestoreReport } from '../core/recovery/types';
import { takePreview } from './decide-and-merge';
import { textOf } from './failures';
import { OperationBoard } from './operation-board';
import { type Ending, endingOf, type Findings, settle } from './settle';
import { stageTarget } from './stage-target';
import { quick } from './steps';

/**
 * Practises a restore: the same steps on the same parts up to the preview, and then the same clean-up. The tenant is
 * neither frozen nor changed. What it shows: backup and WAL lead to the target, every row of the tenant there can be
 * read and compared, and how long it takes and how much would be lost (RTO, RPO).
 */
export async function recoveryDrill(input: RecoveryDrillInput): Promise<RestoreReport> {
  const board = new OperationBoard('drill', textOf(input, 'tenant'));
  const prepared = await CancellationScope.nonCancellable(() =>
    quick('Check the request and choose the tenant').prepareDrill(input),
  );
  board.identify(prepared.operation.restoreId, prepared.operation.tenant);
  const findings: Findings = {};
  const ending = await endingOf(drill(board, prepared, findings));
  return settle(board, prepared, findings, ending);
}

async function drill(board: OperationBoard, prepared: PreparedRestore, findings: Findings): Promise<Ending> {
  const source = await stageTarget(board, prepared, findings);
  await takePreview(board, prepared, source);
  return { kind: 'drilled' };
}
