import type { Pool } from 'pg';
import { broken, type Check, type Finding, ok, warning } from './finding';

/** What the application's server says about its WAL. */
export interface ArchiverState {
  readonly archiveMode: string;
  /** null when the role may not see it. */
  readonly archiveCommand: string | null;
  readonly archiveLibrary: string | null;
  readonly walLevel: string;
  readonly commitTimestamps: string;
  readonly checksums: string;
  readonly archived: boolean;
  readonly lastArchivedSecondsAgo: number | null;
  /** A failure that no success followed. */
  readonly failing: boolean;
  readonly lastFailedWal: string | null;
}

const STATE = `
  select current_setting('archive_mode') as "archiveMode",
         (select setting from pg_settings where name = 'archive_command') as "archiveCommand",
         (select setting from pg_settings where name = 'archive_library') as "archiveLibrary",
         current_setting('wal_level') as "walLevel",
         current_setting('track_commit_timestamp') as "commitTimestamps",
         current_setting('data_checksums') as checksums,
         last_archived_time is not null as archived,
         extract(epoch from clock_timestamp() - last_archived_time)::float8 as "lastArchivedSecondsAgo",
         last_failed_time is not null and last_failed_time > coalesce(last_archived_time, '-infinity') as failing,
         last_failed_wal as "lastFailedWal"
    from pg_stat_archiver`;

export function checkArchiving(pool: Pool): Check {
  return {
    name: 'WAL archiving',
    fallbackFix: 'See https://pgbackrest.org/user-guide.html, "Configure Archiving".',
    look: async () => {
      const { rows } = await pool.query<ArchiverState>(STATE);
      return rows.flatMap(judgeArchiver);
    },
  };
}

const TURN_ON =
  "Set archive_mode = on and archive_command = 'pgbackrest --stanza=… archive-push %p', then restart the server.";

export function judgeArchiver(state: ArchiverState): Finding[] {
  return [archiving(state), ...serverSettings(state)];
}

function archiving(state: ArchiverState): Finding {
  const name = 'WAL archiving';
  if (state.walLevel === 'minimal') return broken(name, 'wal_level is minimal', 'Set wal_level = replica.');
  if (state.archiveMode === 'off') return broken(name, 'archive_mode is off', TURN_ON);
  if (state.archiveCommand === '' && !state.archiveLibrary)
    return broken(name, 'archive_mode is on, and there is no archive_command', TURN_ON);
  if (state.failing)
    return broken(
      name,
      `the server fails to archive segment ${state.lastFailedWal}`,
      "Read the server's log and run `pgbackrest --stanza=… check` as the server's user.",
    );
  if (!state.archived)
    return warning(name, 'on, but nothing was archived yet', 'Run: select pg_switch_wal(); and look again.');
  return ok(name, `last segment ${Math.round(state.lastArchivedSecondsAgo ?? 0)} s ago`);
}

function serverSettings(state: ArchiverState): Finding[] {
  const findings: Finding[] = [];
  if (state.commitTimestamps !== 'on')
    findings.push(
      warning(
        'track_commit_timestamp',
        'off: the time of the last commit cannot be shown',
        'Set track_commit_timestamp = on and restart the server.',
      ),
    );
  if (state.checksums !== 'on')
    findings.push(
      warning(
        'data checksums',
        'off: a damaged page would be backed up unseen',
        'Stop the server and run pg_checksums --enable.',
      ),
    );
  return findings;
}
