import { ActivityFailure } from '@temporalio/common';
import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import type { OperationRef, PreparedOperation, ReportFacts, ScratchHost } from '../activities/types';
import type { RestoreOutcome, RestoreReport } from '../core/recovery/types';
import type { Decided } from './decide-and-merge';
import { codeOf, endingFailure } from './failures';
import type { OperationBoard } from './operation-board';
import { cleanUp, cleanUpOnScratchHost } from './steps';

export type Ending =
  | Decided
  | { readonly kind: 'drilled' }
  | { readonly kind: 'cancelled'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What the story has found out so far and the report and the clean-up need; filled in as it goes. */
export interface Findings {
  host?: ScratchHost;
  target?: ReportFacts['target'];
  verification?: ReportFacts['verification'];
}

/** How a story ended, cancellation and errors included. */
export async function endingOf(story: Promise<Ending>): Promise<Ending> {
  try {
    return await story;
  } catch (error) {
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    return { kind: cancelled ? 'cancelled' : 'failed', error };
  }
}

/**
 * The end of every restore and undo, whatever happened before: nothing of it stays behind, and what happened is told.
 * Runs to its end also when the workflow was cancelled.
 */
export async function settle(
  board: OperationBoard,
  prepared: PreparedOperation,
  findings: Findings,
  ending: Ending,
): Promise<RestoreReport> {
  const { operation } = prepared;
  return CancellationScope.nonCancellable(async () => {
    const settled = await settleAgainstMerge(board, prepared, ending);
    if (settled.kind === 'merged') board.tenantWrites(settled.merge.mergedAt);
    const left = await tidy(board, operation, findings.host, closingState(settled));
    const report = await tellReport(board, operation, findings, settled, left);
    if (settled.kind === 'failed' || settled.kind === 'cancelled') throw endingFailure(settled.error);
    return report;
  });
}

/**
 * A merge may have committed although its answer never came: cancelled at that moment, or its worker was lost. The
 * restore's own record decides, and a merge that won is reported as what it is.
 */
async function settleAgainstMerge(
  board: OperationBoard,
  { operation, rules }: PreparedOperation,
  ending: Ending,
): Promise<Ending> {
  if (ending.kind === 'merged') return ending;
  const winner = await cleanUp('Settle whether the merge has committed').cancelRestore({ operation });
  if (winner === 'cancelled') return ending;
  const preview = board.preview;
  if (preview === undefined) return ending;
  // A merge that has committed answers from its record and writes nothing.
  const merge = await cleanUp('Read what the committed merge wrote').mergeSlice({
    operation,
    rules,
    approvedHash: preview.diffHash,
  });
  return merge.kind === 'merged' ? { kind: 'merged', merge } : ending;
}

/** Since when the record is closed beside the unfreezing; runs begun before do one after the other. */
const CLOSED_BESIDE = 'closed-beside-unfreezing';

/** Every part is tried, whatever became of the others; what could not be done is named for the operator. */
export async function tidy(
  board: OperationBoard,
  operation: OperationRef,
  host: ScratchHost | undefined,
  state: ClosingState,
): Promise<string[]> {
  const left: string[] = [];
  const attempt = async (part: Promise<void>, otherwise: string) => {
    try {
      await part;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      left.push(`${otherwise} (${codeOf(error)})`);
    }
  };
  // Beside the rest: stopping a server and removing its files takes longer than all of that.
  const scratchRemoved =
    host === undefined
      ? undefined
      : attempt(
          cleanUpOnScratchHost(host, 'Remove the scratch cluster').removeScratch({ operation }),
          `The scratch cluster on ${host.taskQueue} is still there; that host's worker removes it when it starts.`,
        );
  if (board.freezeBegun) board.enter('unfreezing');
  const unfrozen = attempt(
    cleanUp('Let the tenant write again').unfreezeTenant({ operation }),
    `The freeze of tenant ${operation.tenant} could not be removed; its gate opens by itself at its limit, its triggers stay.`,
  );
  const close = () =>
    attempt(
      cleanUp('Drop the staged rows and close the record').closeRestore({ operation, state }),
      `The record of restore ${operation.restoreId} could not be closed; no other restore of this tenant can start.`,
    );
  const closed = patched(CLOSED_BESIDE) ? close() : undefined;
  await unfrozen;
  board.tenantWrites();
  board.enter('reporting');
  await (closed ?? close());
  await scratchRemoved;
  for (const text of left) board.note(text);
  return left;
}

async function tellReport(
  board: OperationBoard,
  operation: OperationRef,
  findings: Findings,
  ending: Ending,
  left: readonly string[],
): Promise<RestoreReport> {
  const outcome: RestoreOutcome = ending.kind;
  // A drill stops before the merge: what it would have taken belongs to the time that was promised.
  const rtoMs = board.workingMs() + (outcome === 'drilled' ? (board.preview?.estimatedMergeMs ?? 0) : 0);
  board.end(outcome);
  return cleanUp('Store the report').finishRestore({
    operation,
    facts: {
      outcome,
      approvedBy: board.approvals.approvedBy,
      target: findings.target,
      verification: findings.verification,
      preview: board.preview,
      ...(ending.kind === 'merged' ? { merge: ending.merge } : {}),
      frozenMs: board.frozenMs,
      steps: board.steps,
      rtoMs,
      startedAt: new Date(board.startedAt).toISOString(),
      finishedAt: new Date(Date.now()).toISOString(),
      ...(ending.kind === 'failed' ? { errorCode: codeOf(ending.error) } : {}),
      cleanUp: left,
    },
  });
}

type ClosingState = 'merged' | 'cancelled' | 'failed' | 'rejected';

function closingState(ending: Ending): ClosingState {
  switch (ending.kind) {
    case 'merged':
    case 'failed':
    case 'rejected':
      return ending.kind;
    case 'nothing-to-do':
    case 'expired':
    case 'cancelled':
    case 'drilled':
      return 'cancelled';
  }
}
