/** How a restore went, step by step, and whether its objectives were met. */

import type { MergeResult } from './merge';
import type { RestorePreview } from './preview';
import type { ResolvedTarget } from './target';

export type RestorePhase =
  | 'starting'
  | 'resolving'
  | 'verifying'
  | 'restoring-scratch'
  | 'validating'
  | 'staging'
  | 'freezing'
  | 'previewing'
  | 'awaiting-approval'
  | 'merging'
  | 'unfreezing'
  | 'reporting'
  | 'done';

export type RestoreOutcome =
  | 'merged'
  | 'nothing-to-do'
  | 'rejected'
  | 'expired'
  | 'cancelled'
  | 'failed'
  /** A drill that read the tenant's rows at the target and compared them; it never merges. */
  | 'drilled';

export interface ObjectiveCheck {
  readonly tier: string;
  readonly rpoObjectiveMs: number;
  readonly rtoObjectiveMs: number;
  /** Age of the latest restorable commit when the restore was asked for. */
  readonly rpoMs: number;
  /** From request to merge, without the time spent waiting for people; a drill adds the estimate for its merge. */
  readonly rtoMs: number;
  readonly rpoMet: boolean;
  readonly rtoMet: boolean;
}

/** How far the repository reached when the target was verified; milliseconds between commit times. */
export interface RecoveryReach {
  readonly latestRestorable: string;
  /** What would have been lost with the cluster at that moment: the RPO that was reached. */
  readonly behindNowMs: number;
  /** What of the time up to the target could not come back; 0 for every target that was reached. */
  readonly behindTargetMs?: number;
  /** The time that is undone by going back to the target. */
  readonly aheadOfTargetMs?: number;
}

export interface RestoreReport {
  readonly restoreId: string;
  readonly tenant: string;
  readonly workflowId: string;
  readonly outcome: RestoreOutcome;
  readonly requestedBy: string;
  readonly approvedBy: readonly string[];
  readonly target?: ResolvedTarget;
  readonly preview?: RestorePreview;
  readonly merge?: Extract<MergeResult, { kind: 'merged' }>;
  readonly frozenMs?: number;
  readonly steps: readonly { readonly phase: RestorePhase; readonly ms: number }[];
  readonly objectives?: ObjectiveCheck;
  readonly reach?: RecoveryReach;
  /** What the clean-up could not do, and who has to; absent when it did everything. */
  readonly cleanUp?: readonly string[];
  readonly startedAt: string;
  readonly finishedAt: string;
}
