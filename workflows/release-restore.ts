import type { ReleaseInput, RestoreReport } from '../core/recovery/types';
import { OperationBoard } from './operation-board';
import { tidy } from './settle';
import { cleanUp, quick } from './steps';

/**
 * Cleans up after a restore or undo whose run was terminated or deleted in Temporal, which skips its own clean-up: the
 * tenant can write again and be restored again. Its scratch cluster is swept by its host's worker once the record is
 * closed. A restore that still runs stops at its next step, because its record says so.
 */
export async function releaseRestore(input: ReleaseInput): Promise<RestoreReport> {
  const board = new OperationBoard('release');
  const operation = await quick('Find the restore').prepareRelease(input);
  board.identify(operation.restoreId, operation.tenant);
  const outcome = await cleanUp('Settle whether the merge has committed').cancelRestore({ operation });
  const left = await tidy(board, operation, undefined, outcome);
  const rtoMs = board.workingMs();
  board.end(outcome);
  return cleanUp('Store the report').finishRestore({
    operation,
    facts: {
      outcome,
      approvedBy: [],
      steps: board.steps,
      rtoMs,
      startedAt: new Date(board.startedAt).toISOString(),
      finishedAt: new Date(Date.now()).toISOString(),
      cleanUp: left,
    },
  });
}
