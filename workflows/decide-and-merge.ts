import type { PreparedOperation, ScratchHost } from '../activities/types';
import type { MergeResult, ResolvedTarget, RestorePreview, ScratchHandle } from '../core/recovery/types';
import { refusal } from './failures';
import type { OperationBoard } from './operation-board';
import { long, onScratchHost, quick } from './steps';

export type Decided =
  | { readonly kind: 'merged'; readonly merge: Extract<MergeResult, { kind: 'merged' }> }
  | { readonly kind: 'nothing-to-do' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'expired' };

/** Where the staged rows came from; an undo's come from pre-images and have none. */
export interface PreviewSource {
  readonly host: ScratchHost;
  readonly scratch: ScratchHandle;
  readonly target: ResolvedTarget;
}

/** A tenant whose rows differ again after so many previews is written to by something that passes the freeze. */
const MAX_ROUNDS = 10;

/** The statement limit stops the merge inside the database; this is for a worker that does not notice. */
const MERGE_GRACE_MS = 5 * 60_000;

/**
 * The second half of every restore and undo: freeze and preview in the order that was asked for, have exactly that
 * diff approved, and merge it. Whenever the diff turns out to be another one, people are asked again.
 */
export async function decideAndMerge(
  board: OperationBoard,
  prepared: PreparedOperation,
  source: PreviewSource | undefined,
): Promise<Decided> {
  const { operation, rules } = prepared;
  const freeze = new Freeze(board, prepared);

  if (prepared.freeze === 'before-preview') await freeze.begin();
  let preview = await takePreview(board, prepared, source);

  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    refuseBlocked(preview);
    if (changesNothing(preview)) return { kind: 'nothing-to-do' };

    const verdict = await haveApproved(board, prepared, preview, freeze.deadline);
    if (verdict !== 'approved') return { kind: verdict };

    if (!board.frozen) {
      await freeze.begin();
      const approvedHash = preview.diffHash;
      preview = await takePreview(board, prepared, source);
      if (preview.diffHash !== approvedHash) continue;
    }

    board.enter('merging');
    const merge = await long(
      'Write the approved changes in one transaction',
      prepared.mergeMs + MERGE_GRACE_MS,
    ).mergeSlice({
      operation,
      rules,
      approvedHash: preview.diffHash,
      ...(prepared.signed ? { approvals: board.approvals.intentsFor(preview.diffHash) } : {}),
    });
    if (merge.kind === 'merged') return { kind: 'merged', merge };
    preview = await takePreview(board, prepared, source);
  }
  throw refusal(
    'DIFF_KEEPS_CHANGING',
    `The rows of tenant ${operation.tenant} differed from the approved diff ${MAX_ROUNDS} times in a row.`,
    'Find what writes them although the tenant is frozen (replica role, logical replication), stop it and start again.',
  );
}

/** The tenant's freeze and when it ends by itself, by the workflow's clock. */
class Freeze {
  deadline: number | undefined;

  constructor(
    private readonly board: OperationBoard,
    private readonly prepared: PreparedOperation,
  ) {}

  async begin(): Promise<void> {
    this.board.enter('freezing');
    // Taken before the step: the gate's own limit begins later, so nobody is asked to approve once it has opened.
    const asked = Date.now();
    const { operation } = this.prepared;
    const freeze = await long('Refuse the tenant’s writes from now on').freezeTenant({ operation });
    this.board.tenantFroze(freeze.frozenAt);
    this.deadline = asked + (Date.parse(freeze.until) - Date.parse(freeze.frozenAt));
  }
}

/** Compares the staged rows with the live ones and shows the result. */
export async function takePreview(
  board: OperationBoard,
  { operation, rules }: PreparedOperation,
  source: PreviewSource | undefined,
): Promise<RestorePreview> {
  board.enter('previewing');
  const summary = 'Compare the rows at the target with the live rows';
  const preview =
    source === undefined
      ? await long(summary).previewChanges({ operation, rules })
      : await onScratchHost(source.host, summary).previewChanges({
          operation,
          rules,
          scratch: source.scratch,
          target: source.target,
        });
  board.showPreview(preview);
  return preview;
}

function changesNothing({ totals }: RestorePreview): boolean {
  return totals.insert + totals.update + totals.delete === 0;
}

function refuseBlocked(preview: RestorePreview): void {
  if (!preview.blocked) return;
  const blocking = preview.conflicts.filter((conflict) => conflict.decision === 'block');
  const named = blocking.slice(0, 3).map((conflict) => `${conflict.table} ${conflict.kind}`);
  throw refusal(
    'CONFLICTS_BLOCK',
    `${blocking.length} conflict${blocking.length === 1 ? '' : 's'} block${blocking.length === 1 ? 's' : ''} the merge: ` +
      `${named.join(', ')}${blocking.length > named.length ? ', …' : ''}.`,
    'Look at the preview, then start again with a decision for each, such as --decide public.invoice:unique-taken=skip.',
    {
      restoreId: preview.restoreId,
      conflicts: blocking.slice(0, 10).map(({ table, kind, rows }) => ({ table, kind, rows })),
    },
  );
}

/** Waits until the diff has the approvals it needs, is rejected, or the time limit passes; each decision is recorded. */
async function haveApproved(
  board: OperationBoard,
  { operation, approvals, approvalMs }: PreparedOperation,
  preview: RestorePreview,
  freezeDeadline: number | undefined,
): Promise<'approved' | 'rejected' | 'expired'> {
  if (approvals === 0 || board.approvals.isApproved(preview.diffHash)) return 'approved';
  const { diffHash } = preview;
  let seen = board.approvals.open({
    diffHash,
    requestedBy: operation.requestedBy,
    needed: approvals,
    deadline: Math.min(Date.now() + approvalMs, freezeDeadline ?? Number.POSITIVE_INFINITY),
  });
  board.enter('awaiting-approval');
  const record = quick('Record the decision').recordApproval;
  let recorded = 0;
  await quick('Note that approval is awaited').notePhase({ operation, phase: 'awaiting-approval' });
  for (;;) {
    const now = await board.approvals.next(seen);
    if (now.kind === 'open' || now.kind === 'approved' || now.kind === 'expired') {
      for (const by of now.approvedBy.slice(recorded))
        await record({ operation, record: { kind: 'approved', by, diffHash } });
      recorded = now.approvedBy.length;
    }
    switch (now.kind) {
      case 'approved':
        return 'approved';
      case 'rejected':
        await record({ operation, record: { kind: 'rejected', by: now.by, reason: now.reason, diffHash } });
        return 'rejected';
      case 'expired':
        await record({ operation, record: { kind: 'expired', diffHash } });
        return 'expired';
      case 'open':
      case 'closed':
        seen = now;
    }
  }
}
