import type { RestoreRequest } from '../provider';

const TYPES = { time: 'time', name: 'name', lsn: 'lsn', xid: 'xid' } as const;

/**
 * Arguments of `pgbackrest restore` for a restore into a place of its own. Options that a configuration file may set
 * for the restore of the real cluster are taken back: a tablespace or link mapped by it, or a delta into it, would write
 * outside the place.
 */
export function restoreArguments({ target, place, resume }: RestoreRequest): string[] {
  return [
    `--set=${target.backupLabel}`,
    `--type=${TYPES[target.kind]}`,
    // pgBackRest takes PostgreSQL's form of a time.
    `--target=${target.kind === 'time' ? postgresTime(target.value) : target.value}`,
    `--target-timeline=${target.timeline}`,
    '--target-action=pause',
    '--archive-mode=off',
    `--pg1-path=${place.dataDirectory}`,
    '--reset-pg1-host',
    `--tablespace-map-all=${place.tablespaceDirectory}`,
    '--reset-tablespace-map',
    // Without link-all, what was a link becomes an ordinary directory inside the data directory.
    '--no-link-all',
    '--reset-link-map',
    '--reset-db-include',
    '--reset-db-exclude',
    '--reset-recovery-option',
    resume ? '--delta' : '--no-delta',
    `--lock-path=${place.lockDirectory}`,
  ];
}

/** `2026-11-23T10:15:00.123456Z` → `2026-11-23 10:15:00.123456+00` */
export function postgresTime(instant: string): string {
  return instant.replace('T', ' ').replace(/Z$/, '+00');
}

/**
 * Above this many segments, 1 GB, fetching ahead pays for its start-up (measured: 115 → 134 MB/s on a long replay, and 1.2 s
 * more on one of 20 segments, of which the target needed the first).
 */
const ASYNC_FROM_SEGMENTS = 64;

/** The arguments of the server's `restore_command` after the binary, unquoted. */
export function archiveGetArguments(
  common: readonly string[],
  place: RestoreRequest['place'],
  segments: number,
): string[] {
  return [
    ...common,
    `--pg1-path=${place.dataDirectory}`,
    '--reset-pg1-host',
    `--lock-path=${place.lockDirectory}`,
    `--log-path=${place.logDirectory}`,
    '--log-level-file=off',
    '--log-level-stderr=error',
    ...(segments >= ASYNC_FROM_SEGMENTS
      ? [
          '--archive-async',
          `--spool-path=${place.spoolDirectory}`,
          '--archive-get-queue-max=128MiB',
          '--process-max=2',
        ]
      : ['--no-archive-async']),
    'archive-get',
  ];
}

/** One word for /bin/sh, inside which PostgreSQL replaces %f and %p: a percent sign of our own is doubled. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`;
}

/** Percentage from a line such as `restore file /x/base/1/112 (8KB, 12.34%) checksum …`; undefined for other lines. */
export function restoredPercent(line: string): number | undefined {
  return percentIn(/\brestore file .+ \([^()]*?(\d+(?:\.\d+)?)%\)/, line);
}

/** The same from `backup file /x/base/1/112 (8KB, 12.34%) checksum …`. */
export function backedUpPercent(line: string): number | undefined {
  return percentIn(/\bbackup file .+ \([^()]*?(\d+(?:\.\d+)?)%\)/, line);
}

function percentIn(pattern: RegExp, line: string): number | undefined {
  const match = pattern.exec(line);
  return match === null ? undefined : Number(match[1]);
}
