import type { Pool } from 'pg';
import { verifyBackup } from './backup';
import { previewRestore } from './diff/preview';
import type { MergeControl, PreviewRequest, RecoveryContext, RecoveryEngine, StepControl } from './engine';
import { StagingLostError } from './errors/staging-lost-error';
import { freezeSlice } from './gate/freeze-slice';
import { removeGate } from './gate/remove-gate';
import { mergeRestore } from './merge/merge-restore';
import { cancelRestore, closeRestore } from './record/close-restore';
import { openRestore } from './record/open-restore';
import { connectScratch, ensureScratch, removeScratch, restoreScratch, validateScratch } from './scratch';
import { prepareSlice } from './slice/prepare-slice';
import { stageSlice } from './slice/stage-slice';
import { resolveTarget } from './target';
import type { MergeResult, ResolvedTarget, ScratchHandle } from './types';
import { stageUndo } from './undo/stage-undo';

/** The steps of a tenant restore on real parts: two databases, a backup repository, scratch clusters on this host. */
export function createRecoveryEngine(ctx: RecoveryContext): RecoveryEngine {
  return {
    open: (request) => openRestore(ctx, request),
    resolveTarget: (request, options, control) => resolveTarget(ctx, request, options, control),
    verifyBackup: (target, control) => verifyBackup(ctx, target, control),
    restoreScratch: (restoreId, target, control) => restoreScratch(ctx, restoreId, target, control),
    validateScratch: async (scratch, target, control) =>
      validateScratch(ctx, await ensureScratch(ctx, scratch, target, control), target, control),
    removeScratch: (restoreId) => removeScratch(ctx, restoreId),
    prepareSlice: (restoreId, control) => prepareSlice(ctx, restoreId, control),
    stageSlice: (restoreId, scratch, target, control) =>
      withScratch(ctx, scratch, target, control, (pool) => stageSlice(ctx, restoreId, pool, target, control)),
    stageUndo: (restoreId, control) => stageUndo(ctx, restoreId, control),
    freeze: (restoreId, control) => freezeSlice(ctx, restoreId, control),
    preview: (request, scratch, target, control) =>
      scratch === undefined || target === undefined
        ? restaging(
            () => previewRestore(ctx, request, undefined, control),
            () => stageUndo(ctx, request.restoreId, control),
          )
        : withScratch(ctx, scratch, target, control, (pool) =>
            restaging(
              () => previewRestore(ctx, request, pool, control),
              () => stageSlice(ctx, request.restoreId, pool, target, control),
            ),
          ),
    merge: (request, approvedHash, control) => mergeOrAskAgain(ctx, request, approvedHash, control),
    cancel: (restoreId) => cancelRestore(ctx, restoreId),
    unfreeze: (restoreId, control) => unfreeze(ctx, restoreId, control),
    close: (restoreId, state) => closeRestore(ctx, restoreId, state),
  };
}

/** A server that crashed has emptied the unlogged staging: it is filled again, once. */
async function restaging<T>(work: () => Promise<T>, stage: () => Promise<unknown>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StagingLostError)) throw error;
    await stage();
    return work();
  }
}

/** Without its staging the merge cannot write what was approved: the caller previews again, which stages again. */
async function mergeOrAskAgain(
  ctx: RecoveryContext,
  request: PreviewRequest,
  approvedHash: string,
  control: MergeControl,
): Promise<MergeResult> {
  try {
    return await mergeRestore(ctx, request, approvedHash, control);
  } catch (error) {
    if (error instanceof StagingLostError)
      return { kind: 'diff-changed', diffHash: 'unknown: staging was lost' };
    throw error;
  }
}

/** Starts the scratch server again if it died, and lends a pool for one step. */
async function withScratch<T>(
  ctx: RecoveryContext,
  scratch: ScratchHandle,
  target: ResolvedTarget,
  control: StepControl,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = connectScratch(await ensureScratch(ctx, scratch, target, control));
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** The tenant can write as soon as the gate is open; triggers that cannot be dropped now are swept later. */
async function unfreeze(ctx: RecoveryContext, restoreId: string, control: StepControl): Promise<void> {
  const { lockTimeout, lockAttempts } = ctx.config.recovery;
  const removal = await removeGate(
    ctx.application,
    restoreId,
    { lockTimeoutMs: lockTimeout, attempts: lockAttempts },
    control,
  );
  if (!removal.removed) {
    ctx.log.warn(
      { restoreId, blockedBy: removal.blockedBy },
      'the gate is open; its triggers stay until their locks can be had',
    );
  }
}
