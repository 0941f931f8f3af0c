import type {
  ContainmentInput,
  ContainmentPart,
  ContainmentReport,
  OpenContainment,
  PartOutcome,
  Renewal,
} from '../core/containment/types';
import type { LevelAct, SignedAct } from '../core/degradation/level-act.pure';
import type { LevelState, Policy, Readings, Transition } from '../core/degradation/types';
import type { EscalationInput, EscalationPlan, EscalationReport, PageRef } from '../core/escalation/types';
import type {
  AttemptEnd,
  DeferredJobInput,
  JobRef,
  ScheduledJobInput,
  ScheduledJobReport,
  TenantJobInput,
} from '../core/jobs/types';
import type { SignedIntent } from '../core/operators';
import type {
  BackupVerification,
  ClusterRestoreReport,
  ConflictDecision,
  FreezeMode,
  FreezeResult,
  MergeResult,
  NewCluster,
  RecoveryPointInput,
  RecoveryPointRecord,
  ResolvedTarget,
  RestoreModes,
  RestoreOutcome,
  RestorePhase,
  RestorePreview,
  RestoreReport,
  ScratchHandle,
  ScratchValidation,
  TargetRequest,
} from '../core/recovery/types';

/** The activities of the capability `recovery`, as the workflows see them. Types only. */

/** Which operation a step belongs to, and for whom it is recorded. */
export interface OperationRef {
  readonly restoreId: string;
  readonly tenant: string;
  readonly requestedBy: string;
  /** Where operators sign: every step that changes something verifies it for itself. */
  readonly intent?: SignedIntent;
}

interface Step {
  readonly operation: OperationRef;
}

export interface ScratchHost {
  /** Queue that only this host's workers poll. */
  readonly taskQueue: string;
  /** How long a step waits for a worker of this host to take it. */
  readonly patienceMs: number;
}

/** What the merge may write; the same object goes to every preview and to the merge. */
export interface ChangeRules {
  readonly modes: RestoreModes;
  readonly decisions: readonly ConflictDecision[];
  readonly allowEmpty: boolean;
}

/** A validated request with the configuration's defaults filled in. Times in milliseconds. */
export interface PreparedOperation {
  readonly operation: OperationRef;
  readonly rules: ChangeRules;
  readonly freeze: FreezeMode;
  readonly approvals: 0 | 1 | 2;
  readonly approvalMs: number;
  readonly mergeMs: number;
  /** Address of this run in Temporal's Web UI. */
  readonly webUrl?: string;
  /** Operators sign: decisions are verified before they count. */
  readonly signed?: true;
}

export interface PreparedRestore extends PreparedOperation {
  readonly target: TargetRequest;
  readonly timeline?: number;
  readonly tenantDeleted: boolean;
}

export interface PreparedUndo extends PreparedOperation {
  readonly undoOf: string;
}

/** The input with its name settled. */
export type PreparedRecoveryPoint = RecoveryPointInput & { readonly name: string };

export interface PreparedClusterRestore {
  readonly restoreId: string;
  readonly requestedBy: string;
  readonly into: string;
  readonly promote: boolean;
  readonly target: TargetRequest;
  readonly timeline?: number;
  readonly intent?: SignedIntent;
}

/** What the workflow knows at the end; the activity adds the objectives and stores the report. */
export interface ReportFacts {
  readonly outcome: RestoreOutcome;
  readonly approvedBy: readonly string[];
  readonly target?: ResolvedTarget;
  readonly verification?: BackupVerification;
  readonly preview?: RestorePreview;
  readonly merge?: Extract<MergeResult, { kind: 'merged' }>;
  readonly frozenMs?: number;
  readonly steps: RestoreReport['steps'];
  readonly rtoMs: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Code of the error that ended it. */
  readonly errorCode?: string;
  readonly cleanUp: readonly string[];
}

export type ApprovalRecord =
  | { readonly kind: 'approved'; readonly by: string; readonly diffHash: string }
  | { readonly kind: 'rejected'; readonly by: string; readonly diffHash: string; readonly reason: string }
  | { readonly kind: 'expired'; readonly diffHash: string };

/** What somebody has decided, as the update says. */
export type SignedDecision =
  | { readonly kind: 'approve'; readonly as: string; readonly diffHash: string }
  | { readonly kind: 'reject'; readonly as: string; readonly reason: string };

export interface RecoveryActivities {
  prepareRestore(input: unknown): Promise<PreparedRestore>;
  prepareUndo(input: unknown): Promise<PreparedUndo>;
  prepareDrill(input: unknown): Promise<PreparedRestore>;
  prepareRelease(input: unknown): Promise<OperationRef>;
  openRestore(step: Step & { readonly undoOf?: string; readonly tenantDeleted: boolean }): Promise<void>;

  resolveTarget(
    step: Step & { readonly target: TargetRequest; readonly timeline?: number },
  ): Promise<ResolvedTarget>;
  verifyBackup(step: Step & { readonly target: ResolvedTarget }): Promise<BackupVerification>;
  /** Runs on the common task queue; the answer is the queue of the host that answered. */
  chooseScratchHost(): Promise<ScratchHost>;
  restoreScratch(step: Step & { readonly target: ResolvedTarget }): Promise<ScratchHandle>;
  validateScratch(
    step: Step & { readonly target: ResolvedTarget; readonly scratch: ScratchHandle },
  ): Promise<ScratchValidation>;
  prepareSlice(step: Step): Promise<{ readonly tables: number }>;
  stageSlice(
    step: Step & { readonly target: ResolvedTarget; readonly scratch: ScratchHandle },
  ): Promise<{ readonly rows: number; readonly bytes: number }>;
  stageUndo(step: Step): Promise<{ readonly rows: number; readonly bytes: number }>;

  freezeTenant(step: Step): Promise<FreezeResult>;
  previewChanges(
    step: Step & {
      readonly rules: ChangeRules;
      readonly scratch?: ScratchHandle;
      readonly target?: ResolvedTarget;
    },
  ): Promise<RestorePreview>;
  notePhase(step: Step & { readonly phase: RestorePhase }): Promise<void>;
  recordApproval(step: Step & { readonly record: ApprovalRecord }): Promise<void>;
  verifyDecision(
    step: Step & { readonly decision: SignedDecision; readonly intent: SignedIntent },
  ): Promise<void>;
  mergeSlice(
    step: Step & {
      readonly rules: ChangeRules;
      readonly approvedHash: string;
      readonly approvals?: readonly SignedIntent[];
    },
  ): Promise<MergeResult>;

  cancelRestore(step: Step): Promise<'cancelled' | 'merged'>;
  unfreezeTenant(step: Step): Promise<void>;
  removeScratch(step: Step): Promise<void>;
  closeRestore(
    step: Step & { readonly state: 'merged' | 'cancelled' | 'failed' | 'rejected' },
  ): Promise<void>;
  finishRestore(step: Step & { readonly facts: ReportFacts }): Promise<RestoreReport>;

  prepareRecoveryPoint(input: unknown): Promise<PreparedRecoveryPoint>;
  createRecoveryPoint(point: PreparedRecoveryPoint): Promise<RecoveryPointRecord>;

  prepareClusterRestore(input: unknown): Promise<PreparedClusterRestore>;
  restoreCluster(
    step: Step & { readonly target: ResolvedTarget; readonly into: string; readonly promote: boolean },
  ): Promise<NewCluster>;
  finishClusterRestore(step: Step & { readonly report: ClusterRestoreReport }): Promise<void>;
}

/** Activities of `jobs`. */
export interface JobActivities {
  /** One attempt, when it is the job's turn. */
  runJob(input: TenantJobInput): Promise<AttemptEnd>;
  /** What became of a job whose attempt gave no answer; with `cancel`, its end. */
  settleJob(input: { readonly job: JobRef; readonly cancel: boolean }): Promise<AttemptEnd>;
  /** Puts the job of one of a schedule's times into the queue; `scheduledAt` is ISO 8601. */
  submitScheduledJob(
    input: ScheduledJobInput & { readonly scheduledAt: string },
  ): Promise<ScheduledJobReport>;
  /** Puts a job into the queue that could not be taken when it came. */
  submitDeferredJob(input: DeferredJobInput): Promise<'submitted' | 'known'>;
}

/** Activities of `degradation`. */
export interface DegradationActivities {
  /** The controller's look at its scope, and its sign of life. */
  observeScope(look: ScopeLook): Promise<ScopeSight>;
  /** Makes a transition true for everybody; false when a later one came first. */
  publishLevel(input: LevelPublication): Promise<boolean>;
  /** Waits until every live process has applied the version, at most `limitMs`, and reminds them first if asked to. */
  awaitAcknowledged(wait: {
    readonly scope: string;
    readonly version: number;
    readonly limitMs: number;
    readonly remind: boolean;
  }): Promise<Acknowledgement>;
  recordAcknowledgement(
    end: Acknowledgement & { readonly scope: string; readonly version: number },
  ): Promise<void>;
}

export interface ScopeLook {
  readonly scope: string;
  /** What the controller remembers; absent when it has just begun. */
  readonly state?: LevelState;
  readonly readings: Readings;
  /** Of the policy that it has. */
  readonly policyHash?: string;
}

export interface ScopeSight {
  /** Milliseconds since the epoch, by the database's clock. */
  readonly now: number;
  readonly readings: Readings;
  readonly policyHash: string;
  /** When it is another one than the controller has. */
  readonly policy?: Policy;
  /** Where to go on, for a controller that has just begun, or remembers what does not stand. */
  readonly takenUp?: LevelState;
  /** Operators sign: what a person wants is published, and so verified, before the controller takes it. */
  readonly signed?: true;
  /** The version that stands published. */
  readonly published: number;
}

export interface LevelPublication {
  readonly scope: string;
  /** Name of the level of `state.rank`. */
  readonly level: string;
  readonly state: LevelState;
  readonly transition: Transition;
  /** What a person wants, where operators sign. */
  readonly byHand?: SignedAct & { readonly act: LevelAct };
}

export interface Acknowledgement {
  readonly superseded: boolean;
  /** Live processes. */
  readonly processes: number;
  readonly stragglers: readonly { readonly name: string; readonly why: string }[];
}

/** Who ends a containment, and where operators sign, the proof. */
export interface ContainmentRelease {
  readonly as: string;
  readonly reason?: string;
  readonly intent?: SignedIntent;
}

/** Activities of `containment`. */
export interface ContainmentActivities {
  /** Checks the request and writes its parts down, before any of them is applied. */
  prepareContainment(input: unknown): Promise<OpenContainment>;
  applyContainmentPart(step: {
    readonly containment: OpenContainment;
    readonly part: ContainmentPart;
    readonly input: ContainmentInput;
  }): Promise<PartOutcome>;
  renewContainment(id: string): Promise<Renewal>;
  /** Where operators sign: verifies the release of a containment, and ends its renewals. */
  releaseContainment(step: { readonly id: string; readonly release: ContainmentRelease }): Promise<void>;
  undoContainmentPart(step: {
    readonly containment: OpenContainment;
    readonly part: ContainmentPart;
  }): Promise<void>;
  finishContainment(step: {
    readonly containment: OpenContainment;
    readonly input: ContainmentInput;
    readonly report: ContainmentReport;
  }): Promise<void>;
}

/** Activities of `escalation`. */
export interface EscalationActivities {
  /** Checks the alert, writes the escalation down and says whom it goes to. */
  openEscalation(alert: unknown): Promise<EscalationPlan>;
  /** Milliseconds that the alert is still silenced; 0 when it is not. */
  silencedFor(alert: EscalationInput): Promise<number>;
  /** Tells one channel of one level. */
  page(step: { readonly ref: PageRef; readonly alert: EscalationInput }): Promise<void>;
  /** Tells those who were paged, and can be told, that it is taken or over. */
  tellEnd(step: {
    readonly id: string;
    readonly kind: 'acknowledged' | 'resolved';
    readonly alert: EscalationInput;
  }): Promise<void>;
  noteEscalation(report: EscalationReport): Promise<void>;
}
