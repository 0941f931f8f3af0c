/** The cluster that is recovered beside the running one. */

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
