import type { ClientBase, Pool } from 'pg';
import type { Config } from '../../config';
import type {
  BackupVerification,
  ConflictDecision,
  FreezeResult,
  MergeResult,
  ResolvedTarget,
  RestoreModes,
  RestorePreview,
  ScratchHandle,
  ScratchValidation,
  TargetRequest,
} from './types';

/** What every step of a restore works with. Pools are shared by steps and closed by whoever made them. */
export interface RecoveryContext {
  /** The application's database, as the role that deploy/postgres/application-role.sql describes. */
  readonly application: Pool;
  /** Chronawflow's own database. */
  readonly platform: Pool;
  readonly config: Config;
  readonly log: StepLog;
}

/** The part of a pino logger that the engine uses. */
export interface StepLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** How a caller stops a long step and hears how far it is. */
export interface StepControl {
  readonly signal?: AbortSignal;
  /** Called at least every few seconds by steps that take longer; small, and without row values. */
  readonly progress?: (state: {
    readonly step: string;
    readonly done?: number;
    readonly total?: number;
  }) => void;
}

/** What a merge is about, by its record. */
export interface Merging {
  readonly restoreId: string;
  readonly tenant: string;
  readonly undoOf: string | undefined;
  readonly diffHash: string;
}

export interface MergeControl extends StepControl {
  /** Called last in the merge's transaction: what it throws undoes the merge. */
  readonly beforeCommit?: (tx: ClientBase, merging: Merging) => Promise<void>;
}

export interface OpenRestore {
  readonly restoreId: string;
  readonly kind: 'restore' | 'undo';
  readonly tenant: string;
  readonly workflowId: string;
  readonly undoOf?: string;
  /** The tenant's own row may be absent from the live database. */
  readonly tenantDeleted: boolean;
  /** Refuse another spelling of the tenant's key: signatures name tenants, and so do the scopes of roles. */
  readonly exactTenant?: boolean;
}

export interface PreviewRequest {
  readonly restoreId: string;
  readonly modes: RestoreModes;
  readonly decisions: readonly ConflictDecision[];
  readonly allowEmpty: boolean;
}

/**
 * The steps of a tenant restore in the order in which the workflow calls them. Every step is idempotent under its
 * restore ID: after a crash at any point the same call finds what was done and goes on from there.
 */
export interface RecoveryEngine {
  /** Refuses a second operation on the tenant (RESTORE_IN_PROGRESS), an unknown tenant, missing rights, hidden rows. */
  open(request: OpenRestore): Promise<void>;

  /** Resolves the target by the application database's clock, writes the fence and waits until it is archived. */
  resolveTarget(
    request: TargetRequest,
    options: { readonly timeline?: number },
    control: StepControl,
  ): Promise<ResolvedTarget>;
  /** Manifest and WAL from the backup to the fence, without a gap. */
  verifyBackup(target: ResolvedTarget, control: StepControl): Promise<BackupVerification>;

  restoreScratch(restoreId: string, target: ResolvedTarget, control: StepControl): Promise<ScratchHandle>;
  validateScratch(
    scratch: ScratchHandle,
    target: ResolvedTarget,
    control: StepControl,
  ): Promise<ScratchValidation>;
  /** Stops the server and removes the directory; nothing happens when there is none. */
  removeScratch(restoreId: string): Promise<void>;

  /** What staging and freeze need of the live side, made while the scratch cluster is restored. */
  prepareSlice(restoreId: string, control: StepControl): Promise<{ readonly tables: number }>;
  /** Copies the tenant's slice at the target beside the live rows. Starts the scratch server again if it died. */
  stageSlice(
    restoreId: string,
    scratch: ScratchHandle,
    target: ResolvedTarget,
    control: StepControl,
  ): Promise<{ readonly rows: number; readonly bytes: number }>;
  /** Undo: takes the pre-images of `undoOf` in place of a scratch cluster. */
  stageUndo(
    restoreId: string,
    control: StepControl,
  ): Promise<{ readonly rows: number; readonly bytes: number }>;

  freeze(restoreId: string, control: StepControl): Promise<FreezeResult>;
  /** Diffs staging with the live slice; `scratch` is absent for an undo. Stores samples and images for paging. */
  preview(
    request: PreviewRequest,
    scratch: ScratchHandle | undefined,
    target: ResolvedTarget | undefined,
    control: StepControl,
  ): Promise<RestorePreview>;
  /** One transaction: diff again, compare with `approvedHash`, write, prove, open the gate, record. */
  merge(request: PreviewRequest, approvedHash: string, control: MergeControl): Promise<MergeResult>;

  /** Settles a cancellation against a merge that may be committing: says which of the two won. */
  cancel(restoreId: string): Promise<'cancelled' | 'merged'>;
  /** Opens the gate at once, then drops its triggers with retries. */
  unfreeze(restoreId: string, control: StepControl): Promise<void>;
  /** Drops the staging and closes the record; pre-images stay for the configured retention. */
  close(restoreId: string, state: 'merged' | 'cancelled' | 'failed' | 'rejected'): Promise<void>;
}
