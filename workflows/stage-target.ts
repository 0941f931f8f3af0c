import { patched } from '@temporalio/workflow';
import type { OperationRef, PreparedRestore, ScratchHost } from '../activities/types';
import type { ResolvedTarget, ScratchHandle } from '../core/recovery/types';
import type { PreviewSource } from './decide-and-merge';
import type { OperationBoard } from './operation-board';
import type { Findings } from './settle';
import { long, onScratchHost, quick } from './steps';
import { together } from './together';

/** Since when the live side is prepared while the scratch cluster is restored; runs begun before do without. */
const PREPARED_BESIDE = 'slice-prepared-beside-scratch';

/**
 * The first half of every restore and drill: from the request to the tenant's rows at the target, staged beside the live
 * ones. Nothing of the application's is changed by it.
 */
export async function stageTarget(
  board: OperationBoard,
  { operation, tenantDeleted, ...prepared }: PreparedRestore,
  findings: Findings,
): Promise<PreviewSource> {
  await quick('Take the tenant for this restore').openRestore({ operation, tenantDeleted });

  board.enter('resolving');
  const target = await long('Resolve the target and wait for its WAL').resolveTarget({
    operation,
    target: prepared.target,
    timeline: prepared.timeline,
  });
  findings.target = target;

  const host = await quick('Choose the host of the scratch cluster').chooseScratchHost();
  findings.host = host;
  board.enter('verifying');
  const [verification, scratch] = await together(
    async () => {
      const verified = await long('Verify backup and WAL up to the target').verifyBackup({
        operation,
        target,
      });
      board.enter('restoring-scratch');
      return verified;
    },
    () => restoreScratch(operation, host, target),
  );
  findings.verification = verification;

  board.enter('validating');
  await together(
    async () => {
      await onScratchHost(host, 'Check that scratch stands at the target').validateScratch({
        operation,
        target,
        scratch,
      });
      board.enter('staging');
    },
    () =>
      onScratchHost(host, 'Stage the tenant’s rows at the target').stageSlice({ operation, target, scratch }),
  );

  return { host, scratch, target };
}

/** The live side has nothing else to do meanwhile: what staging needs of it is made beside. */
async function restoreScratch(
  operation: OperationRef,
  host: ScratchHost,
  target: ResolvedTarget,
): Promise<ScratchHandle> {
  const restore = () =>
    onScratchHost(host, 'Restore a scratch cluster to the target').restoreScratch({ operation, target });
  if (!patched(PREPARED_BESIDE)) return restore();
  const [scratch] = await together(restore, () =>
    long('Find the tenant’s tables and prepare their staging').prepareSlice({ operation }),
  );
  return scratch;
}
