/** Where a recovery goes to, and the backup that takes it there. */

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
  /** Size of the cluster that it restores; absent in targets that were resolved before it was told. */
  readonly clusterBytes?: number;
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
