/** What people ask for: the inputs of the recovery's workflows on one tenant. */

import type { SignedIntent } from '../../operators';
import type { ConflictDecision } from './conflicts';

export type FreezeMode = 'before-preview' | 'after-approval';

/** Which differences the merge may apply; all three together mean "exactly the state at the target". */
export interface RestoreModes {
  readonly create: boolean;
  readonly update: boolean;
  readonly delete: boolean;
}

/** Input of the workflow `tenantRestore`. */
export interface TenantRestoreInput {
  readonly tenant: string;
  /** Time with zone, `20m ago`, `point:<name>`, `lsn:<lsn>` or `xid:<xid>`. */
  readonly to: string;
  readonly requestedBy: string;
  readonly reason?: string;
  readonly modes?: Partial<RestoreModes>;
  readonly freeze?: FreezeMode;
  /** How many other people must approve; default, and the least that is accepted, is the configuration's. */
  readonly approvals?: 0 | 1 | 2;
  /** The tenant did not exist at the target: delete all of it. */
  readonly allowEmpty?: boolean;
  /** The tenant's own row is gone now; without this an unknown tenant is refused at once. */
  readonly tenantDeleted?: boolean;
  readonly decisions?: readonly ConflictDecision[];
  /** Needed when the target time exists on more than one timeline. */
  readonly timeline?: number;
  /** Where operators sign: who asks, for exactly this. */
  readonly intent?: SignedIntent;
}

/** Input of the workflow `tenantUndo`. */
export interface TenantUndoInput {
  /** ID of the merged restore whose pre-images are put back. */
  readonly restoreId: string;
  readonly tenant: string;
  readonly requestedBy: string;
  readonly reason?: string;
  readonly freeze?: FreezeMode;
  readonly approvals?: 0 | 1 | 2;
  readonly decisions?: readonly ConflictDecision[];
  readonly intent?: SignedIntent;
}

/** Input of the workflow `recoveryDrill`. */
export interface RecoveryDrillInput {
  /** Default: the one that waits longest for a drill. */
  readonly tenant?: string;
  /** As in {@link TenantRestoreInput}; default `5m ago`. */
  readonly to?: string;
  readonly requestedBy: string;
  readonly reason?: string;
}

/** Input of the workflow `releaseRestore`. */
export interface ReleaseInput {
  /** The restore or undo whose run is gone. */
  readonly restoreId: string;
  readonly requestedBy: string;
  readonly reason?: string;
}
