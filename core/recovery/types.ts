/**
 * The vocabulary of the tenant restore, shared by every layer. Types only: workflows import this file.
 *
 * Times are ISO 8601 text in UTC with microseconds ("2026-11-23T10:15:00.123456Z"); LSNs are PostgreSQL's text form
 * ("0/3000148"). Everything here is JSON: it travels through Temporal.
 */

import type { SignedIntent } from '../operators';

export type FreezeMode = 'before-preview' | 'after-approval';

/** Which differences the merge may apply; all three together mean "exactly the state at the target". */
export interface RestoreModes {
  readonly create: boolean;
  readonly update: boolean;
  readonly delete: boolean;
}

/**
 * What a person decided about one class of conflicts in one table: `block` (the default) stops the merge, `skip` leaves
 * the rows as they are, `map` writes them with another value in one column. Rows that are in conflict even as mapped fall
 * to the class's other decision.
 */
export type ConflictDecision =
  | {
      /** `schema.table` as the preview prints it. */
      readonly table: string;
      readonly kind: ConflictKind;
      readonly decision: 'block' | 'skip';
    }
  | {
      readonly table: string;
      readonly kind: MappableKind;
      readonly decision: 'map';
      /** Where the rows in conflict get another value; the others keep theirs. */
      readonly column: string;
      readonly rule: MappingRule;
    };

/** The conflicts whose reason is a value that the target's row would be written with. */
export type MappableKind = 'unique-taken' | 'parent-missing' | 'constraint-violated';

/** Deterministic: the same row gets the same value in every preview and in the merge. */
export type MappingRule =
  | { readonly kind: 'null' }
  /** For columns of text: the row's own value with this before or after it. */
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string }
  /** One value for all rows in conflict, in the text form of the column's type. */
  | { readonly kind: 'value'; readonly text: string };

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

/** A target before it is matched with a backup. */
export type TargetRequest =
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'ago'; readonly microseconds: string }
  | { readonly kind: 'point'; readonly name: string }
  | { readonly kind: 'lsn'; readonly lsn: string }
  | { readonly kind: 'xid'; readonly xid: string };

/** A target as recovery will be told: every relative part resolved by the application database's clock. */
export interface ResolvedTarget {
  readonly kind: 'time' | 'name' | 'lsn' | 'xid';
  /** `recovery_target_time`, `_name`, `_lsn` or `_xid`. */
  readonly value: string;
  /** The target's time where one is known (always for `time` and recovery points). */
  readonly at?: string;
  readonly timeline: number;
  /** Backup that recovery starts from. */
  readonly backupLabel: string;
  /** First WAL segment that recovery needs, and the segment of the fence that proves there is a later commit. */
  readonly firstSegment: string;
  readonly fenceSegment: string;
  readonly fenceToken: string;
  readonly systemId: string;
}

export interface BackupVerification {
  readonly backupLabel: string;
  readonly segments: number;
  readonly latestRestorable: string;
  readonly checkedAt: string;
}

/** Where a scratch cluster lives. Only the host in `host` can reach it: it listens on a local socket. */
export interface ScratchHandle {
  readonly restoreId: string;
  readonly host: string;
  readonly directory: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly database: string;
}

export interface ScratchValidation {
  readonly timeline: number;
  readonly replayLsn: string;
  /** Commit time of the last transaction that was replayed. */
  readonly lastCommit?: string;
  /** "recovery stopping …" from the server's log. */
  readonly stoppedBecause: string;
}

export type TableAttribution =
  | { readonly kind: 'tenant-table'; readonly column: string }
  | { readonly kind: 'column'; readonly column: string }
  /** Foreign key from this table towards the tenant; `parent` is `schema.table`. */
  | {
      readonly kind: 'path';
      readonly columns: readonly string[];
      readonly parent: string;
      readonly parentColumns: readonly string[];
    }
  | { readonly kind: 'schema' };

export type ConflictKind =
  /** A unique value the target needs is now taken by a row outside the slice. */
  | 'unique-taken'
  /** Rows outside the slice (other tenants, shared or `keep` tables) reference a row that would go. */
  | 'referenced'
  /** The key exists on both sides but belongs to different owners. */
  | 'owner-changed'
  /** A row the target needs references a parent that is gone and is not part of the slice. */
  | 'parent-missing'
  /** A column or type changed since the target so that the old image cannot be written as it was. */
  | 'schema-changed'
  /** A CHECK, NOT NULL or domain constraint added since refuses the old image. */
  | 'constraint-violated'
  /** Undo only: the row was changed again after the restore wrote it. */
  | 'changed-since';

export interface Conflict {
  readonly table: string;
  readonly kind: ConflictKind;
  /** One sentence for the operator; no row values. */
  readonly message: string;
  readonly rows: number;
  readonly decision: 'block' | 'skip' | 'map';
  /** With `map`: the column and its rule, as `--decide` takes them. */
  readonly mapping?: string;
}

export interface TableChanges {
  readonly table: string;
  readonly attribution: TableAttribution['kind'];
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly unchanged: number;
  /** Columns present on one side only. */
  readonly addedColumns: readonly string[];
  readonly droppedColumns: readonly string[];
}

/**
 * Jobs and requests that were completed after the target: the merge takes their rows back, their records stay, and a person
 * decides about each.
 */
export interface UndoneCounts {
  /** Jobs that ended after the target, or have steps that were completed after it. */
  readonly jobs: number;
  /** Steps of jobs (`ctx.once`). */
  readonly steps: number;
  /** Requests of the IdempotencyManager. */
  readonly requests: number;
}

/** What the workflow carries; bounded, and without any row value. Samples stay in the database. */
export interface RestorePreview {
  readonly restoreId: string;
  readonly tenant: string;
  readonly diffHash: string;
  readonly schemaHash: string;
  readonly tables: readonly TableChanges[];
  readonly totals: {
    readonly insert: number;
    readonly update: number;
    readonly delete: number;
    readonly unchanged: number;
  };
  readonly conflicts: readonly Conflict[];
  /** True when a conflict's decision is `block`: approval would be pointless. */
  readonly blocked: boolean;
  readonly notices: readonly string[];
  /** Erasures after the target, and the rows that do not come back as they were; absent when there are none. */
  readonly erasedAgain?: { readonly erasures: number; readonly rows: number };
  /** What the merge will mark as `effects undone`; absent in an undo. */
  readonly undoneEffects?: UndoneCounts;
  readonly bytesStaged: number;
  readonly estimatedMergeMs: number;
  /** SHA-256 of the tenant's slice, hex: as it is, and as it will be. */
  readonly digestNow: string;
  readonly digestExpected: string;
}

export interface FreezeResult {
  readonly frozenAt: string;
  readonly until: string;
  readonly tables: number;
  readonly attempts: number;
  /** Longest time another session could have waited for the freeze's locks. */
  readonly longestLockMs: number;
}

export type MergeResult =
  | {
      readonly kind: 'merged';
      readonly mergedAt: string;
      readonly digestBefore: string;
      readonly digestAfter: string;
      readonly rows: readonly {
        readonly table: string;
        readonly inserted: number;
        readonly updated: number;
        readonly deleted: number;
      }[];
      readonly sequencesForwarded: readonly string[];
      /** Marked as `effects undone` in the same transaction; absent in an undo. */
      readonly undoneEffects?: UndoneCounts;
      /** Milliseconds by step inside the merge. */
      readonly timings: Readonly<Record<string, number>>;
    }
  /** The diff is no longer the approved one; nothing was changed. */
  | { readonly kind: 'diff-changed'; readonly diffHash: string };

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

/** Input of the workflow `releaseRestore`. */
export interface ReleaseInput {
  /** The restore or undo whose run is gone. */
  readonly restoreId: string;
  readonly requestedBy: string;
  readonly reason?: string;
}

/** Input of the workflow `recoveryPoint`. */
export interface RecoveryPointInput {
  readonly kind: RecoveryPointKind;
  /** Default: the last part of the workflow's ID, which for a schedule's runs is its name and time. */
  readonly name?: string;
  readonly requestedBy: string;
  readonly reason?: string;
}

export type RecoveryPointKind = 'full' | 'differential' | 'incremental' | 'named';

/** Result of the workflow `recoveryPoint`. */
export interface RecoveryPointRecord {
  readonly name: string;
  readonly kind: RecoveryPointKind;
  readonly at: string;
  readonly lsn: string;
  readonly timeline: number;
  readonly backupLabel?: string;
}

/** Input of the workflow `clusterRestore`. */
export interface ClusterRestoreInput {
  /** As in {@link TenantRestoreInput}. */
  readonly to: string;
  /** Directory for the new cluster on the worker's host. */
  readonly into: string;
  /** End the recovery, so that the new cluster takes writes; else it stays paused at the target, to be looked at. */
  readonly promote?: boolean;
  readonly requestedBy: string;
  readonly reason?: string;
  readonly timeline?: number;
  readonly intent?: SignedIntent;
}

/** Where a restored cluster is; it listens on the local socket of its host only. */
export interface NewCluster {
  readonly host: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly promoted: boolean;
  readonly validation: ScratchValidation;
  /** What the running cluster knows to have been completed after the target; absent in reports of earlier versions. */
  readonly completedSince?: CompletedSince;
  /** What of erased people the target had; absent in reports of earlier versions. */
  readonly erased?: {
    /** Erasures after the target, of all tenants. */
    readonly erasures: number;
    /** Rows in which they were applied again before the cluster was handed over; absent while it can only be read. */
    readonly rows?: number;
  };
}

/** Jobs, steps and requests whose effects and records the new cluster lacks. What they did outside is done. */
export interface CompletedSince extends UndoneCounts {
  /** The first hundred, in the order in which they were completed. */
  readonly first: readonly {
    readonly tenant: string;
    readonly kind: 'job' | 'step' | 'request';
    readonly type: string;
    readonly key: string;
    readonly step: string;
    readonly completedAt: string;
  }[];
}

/** Result of the workflow `clusterRestore`. */
export interface ClusterRestoreReport {
  readonly restoreId: string;
  readonly workflowId: string;
  readonly outcome: 'restored' | 'failed' | 'cancelled';
  readonly into: string;
  readonly requestedBy: string;
  readonly target?: ResolvedTarget;
  readonly cluster?: NewCluster;
  /** Code of the error that ended it. */
  readonly errorCode?: string;
  readonly steps: RestoreReport['steps'];
  readonly startedAt: string;
  readonly finishedAt: string;
}
