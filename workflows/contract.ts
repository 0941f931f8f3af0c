import type { SignedIntent } from '../core/operators/intent/types';
import type { ApprovalState } from '../core/recovery/approval.pure';
import type { RestoreOutcome, RestorePhase, RestoreReport } from '../core/recovery/types';

/**
 * Names and shapes of what goes in and out of the recovery workflows, for clients in any language. Runs of
 * `tenantRestore` and `tenantUndo` take the same messages.
 */

export const workflowNames = {
  tenantRestore: 'tenantRestore',
  tenantUndo: 'tenantUndo',
  recoveryDrill: 'recoveryDrill',
  recoveryPoint: 'recoveryPoint',
  clusterRestore: 'clusterRestore',
  releaseRestore: 'releaseRestore',
} as const;

export const messageNames = {
  approve: 'approve',
  reject: 'reject',
  status: 'status',
  preview: 'preview',
} as const;

/** Search attributes, all of type Keyword; the worker registers them when it starts. */
export const searchAttributeNames = {
  tenant: 'TenantId',
  capability: 'Capability',
  phase: 'Phase',
  outcome: 'Outcome',
} as const;

export const capability = 'recovery';

/** Argument of the update `approve`. */
export interface Approval {
  /** The hash that the preview shows; an approval of another one is refused. */
  readonly diffHash: string;
  readonly as: string;
  /** Where operators sign: `recovery.approve` of this restore and hash. */
  readonly intent?: SignedIntent;
}

/** Argument of the update `reject`. */
export interface Rejection {
  readonly as: string;
  readonly reason: string;
  /** Where operators sign: `recovery.reject` of this restore. */
  readonly intent?: SignedIntent;
}

/** Answer of the updates. */
export interface ApprovalAnswer {
  readonly approvedBy: readonly string[];
  /** How many approvals are still missing. */
  readonly missing: number;
}

/** Answer of the query `status`. */
export interface OperationStatus {
  readonly kind: 'restore' | 'undo' | 'drill' | 'cluster' | 'recovery-point' | 'release';
  readonly restoreId?: string;
  readonly tenant?: string;
  readonly phase: RestorePhase;
  /** When the phase began, ISO 8601. */
  readonly since: string;
  /** Also `restored` for a cluster and `created` for a recovery point. */
  readonly outcome?: RestoreOutcome | 'restored' | 'created';
  readonly approval: ApprovalState;
  readonly frozen: boolean;
  readonly steps: RestoreReport['steps'];
  readonly notices: readonly string[];
}
