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

/** Since when that begins with the resolving of the target, beside which the scratch cluster's host is chosen, too. */
const BEGUN_BESIDE = 'begun-beside-resolving';

/** Since when the target is resolved while the tenant is taken; runs begun before do one after the other. */
const OPENED_BESIDE = 'opened-beside-resolving';

/**
 * The first half of every restore and drill: from the request to the tenant's rows at the target, staged beside the live
 * ones. Nothing of the application's is changed by it.
 */
export async function stageTarget(
  board: OperationBoard,
  prepared: PreparedRestore,
  findings: Findings,
): Promise<PreviewSource> {
  const { operation } = prepared;
  const source = patched(OPENED_BESIDE)
    ? await openBesideResolving(board, prepared, findings)
    : await openBeforeResolving(board, prepared, findings);
  const { host, target, scratch } = source;

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
  return source;
}

/**
 * The live side has nothing else to do while the target is reached: what staging needs of it is made beside. No scratch
 * cluster is restored before the tenant is taken.
 */
async function openBesideResolving(
  board: OperationBoard,
  prepared: PreparedRestore,
  findings: Findings,
): Promise<PreviewSource> {
  const { operation } = prepared;
  const opened = open(prepared);
  const [source] = await together(
    async () => {
      const [target, host] = await resolveAndChoose(prepared, findings);
      await opened;
      return reachTarget(board, operation, findings, target, host);
    },
    async () => {
      await opened;
      board.enter('resolving');
      await prepareSlice(operation);
    },
  );
  return source;
}

async function openBeforeResolving(
  board: OperationBoard,
  prepared: PreparedRestore,
  findings: Findings,
): Promise<PreviewSource> {
  const { operation } = prepared;
  await open(prepared);
  board.enter('resolving');
  const prepare = () => prepareSlice(operation);
  if (patched(BEGUN_BESIDE)) {
    const [source] = await together(async () => {
      const [target, host] = await resolveAndChoose(prepared, findings);
      return reachTarget(board, operation, findings, target, host);
    }, prepare);
    return source;
  }
  const target = await resolve(prepared, findings);
  const host = await chooseHost(findings);
  const scratch = await besideVerifying(board, operation, findings, target, async () => {
    const restore = () => restoreScratch(operation, host, target);
    return patched(PREPARED_BESIDE) ? (await together(restore, prepare))[0] : restore();
  });
  return { host, target, scratch };
}

async function open({ operation, tenantDeleted }: PreparedRestore): Promise<void> {
  await quick('Take the tenant for this restore').openRestore({ operation, tenantDeleted });
}

async function prepareSlice(operation: OperationRef): Promise<void> {
  await long('Find the tenant’s tables and prepare their staging').prepareSlice({ operation });
}

function resolveAndChoose(
  prepared: PreparedRestore,
  findings: Findings,
): Promise<[ResolvedTarget, ScratchHost]> {
  return together(
    () => resolve(prepared, findings),
    () => chooseHost(findings),
  );
}

async function reachTarget(
  board: OperationBoard,
  operation: OperationRef,
  findings: Findings,
  target: ResolvedTarget,
  host: ScratchHost,
): Promise<PreviewSource> {
  const restore = () => restoreScratch(operation, host, target);
  return { host, target, scratch: await besideVerifying(board, operation, findings, target, restore) };
}

async function resolve(
  { operation, target, timeline }: PreparedRestore,
  findings: Findings,
): Promise<ResolvedTarget> {
  const resolved = await long('Resolve the target and wait for its WAL').resolveTarget({
    operation,
    target,
    timeline,
  });
  findings.target = resolved;
  return resolved;
}

async function chooseHost(findings: Findings): Promise<ScratchHost> {
  const host = await quick('Choose the host of the scratch cluster').chooseScratchHost();
  findings.host = host;
  return host;
}

function restoreScratch(
  operation: OperationRef,
  host: ScratchHost,
  target: ResolvedTarget,
): Promise<ScratchHandle> {
  return onScratchHost(host, 'Restore a scratch cluster to the target').restoreScratch({ operation, target });
}

/** Reading the repository's listing and restoring from it do not wait for each other; both have to succeed. */
async function besideVerifying(
  board: OperationBoard,
  operation: OperationRef,
  findings: Findings,
  target: ResolvedTarget,
  restore: () => Promise<ScratchHandle>,
): Promise<ScratchHandle> {
  board.enter('verifying');
  const [verification, scratch] = await together(async () => {
    const verified = await long('Verify backup and WAL up to the target').verifyBackup({ operation, target });
    board.enter('restoring-scratch');
    return verified;
  }, restore);
  findings.verification = verification;
  return scratch;
}
