import { ChronawflowError } from '../../errors';

export interface ArchiverState {
  readonly archiveMode: string;
  readonly lastArchived: string | null;
  readonly failures: number;
  readonly lastFailed: string | null;
  readonly lastFailedAt: string | null;
}

/** The WAL segment with the fence does not arrive in the repository. */
export class ArchivingStuckError extends ChronawflowError {
  readonly code = 'ARCHIVING_STUCK';
  override readonly retryable = true;

  constructor(segment: string, waitedMs: number, archiver: ArchiverState) {
    super(
      archiver.archiveMode === 'off'
        ? `WAL segment ${segment} will never be archived: archive_mode is off on the application database`
        : `WAL segment ${segment} did not arrive in the repository within ${Math.round(waitedMs / 1000)} s; ${describe(archiver)}`,
      { hint: hintFor(archiver), details: { segment, waitedMs, ...archiver } },
    );
  }
}

function describe(archiver: ArchiverState): string {
  const last = archiver.lastArchived ?? 'none';
  return archiver.lastFailed === null
    ? `pg_stat_archiver reports no failure, last archived segment ${last}`
    : `pg_stat_archiver: ${archiver.failures} failures, the last on ${archiver.lastFailed} at ${archiver.lastFailedAt}; last archived segment ${last}`;
}

function hintFor(archiver: ArchiverState): string {
  return archiver.archiveMode === 'off'
    ? "Set archive_mode = on and archive_command = 'pgbackrest --stanza=… archive-push %p', restart, and make a full backup."
    : "Look for 'archive command failed' in the database server's log and run `pgbackrest --stanza=… check` there; a full repository or a wrong stanza are the usual reasons.";
}
