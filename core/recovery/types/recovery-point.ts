/** The workflow `recoveryPoint`. */

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
