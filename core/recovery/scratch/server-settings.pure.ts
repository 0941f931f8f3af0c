import { postgresTime } from '../backup/pgbackrest/restore-arguments.pure';
import type { ResolvedTarget } from '../types';

/** Recovery refuses to start, or pauses for good, when one of these is lower than on the server that wrote the WAL. */
export const AT_LEAST_AS_PRIMARY = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
] as const;

export type PrimaryLimits = Readonly<Record<(typeof AT_LEAST_AS_PRIMARY)[number], number>>;

export interface ServerSettingsRequest {
  readonly target: ResolvedTarget;
  readonly restoreCommand: string;
  readonly limits: PrimaryLimits;
  readonly trackCommitTimestamp: boolean;
  /** Of application.backup.scratchSettings. */
  readonly extra: Readonly<Record<string, string>>;
  /** A cluster that somebody will use: it must survive a crash of the host. */
  readonly durable: boolean;
  readonly name: string;
}

/** The whole configuration of the server; nothing of the original's is taken over. */
export function serverSettings(request: ServerSettingsRequest): Record<string, string> {
  return { ...defaults(request), ...request.extra, ...fixed(request) };
}

/** What an operator may change. */
function defaults({ limits, durable, trackCommitTimestamp }: ServerSettingsRequest): Record<string, string> {
  const limit = Object.fromEntries(AT_LEAST_AS_PRIMARY.map((name) => [name, String(limits[name])]));
  return {
    ...limit,
    track_commit_timestamp: onOff(trackCommitTimestamp),
    shared_buffers: '256MB',
    work_mem: '64MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '30min',
    // Half again as fast a replay; a scratch cluster is restored anew when its host crashes.
    fsync: onOff(durable),
    full_page_writes: onOff(durable),
    synchronous_commit: onOff(durable),
    autovacuum: onOff(durable),
    huge_pages: 'off',
    // Libraries of the original may write, listen or be missing here; recovery itself needs one only for its own WAL.
    shared_preload_libraries: '',
  };
}

/** What makes it a scratch cluster. */
function fixed({ target, restoreCommand, name }: ServerSettingsRequest): Record<string, string> {
  return {
    restore_command: restoreCommand,
    [`recovery_target_${target.kind}`]: target.kind === 'time' ? postgresTime(target.value) : target.value,
    recovery_target_timeline: String(target.timeline),
    recovery_target_inclusive: 'on',
    recovery_target_action: 'pause',
    hot_standby: 'on',
    wal_level: 'replica',
    archive_mode: 'off',
    archive_command: '',
    primary_conninfo: '',
    max_logical_replication_workers: '0',

    session_preload_libraries: '',
    local_preload_libraries: '',
    ssl: 'off',
    unix_socket_permissions: '0700',
    cluster_name: name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 63),
    // Its log is read by a program: known place, language and clock.
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    log_line_prefix: '%m [%p] ',
    lc_messages: 'C',
    log_timezone: 'UTC',
    TimeZone: 'UTC',
  };
}

/** postgresql.conf: strings in single quotes, a quote or backslash inside doubled. */
export function renderSettings(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const quoted = value.replaceAll('\\', '\\\\').replaceAll("'", "''");
    return `${name} = '${quoted}'`;
  });
  return `# Written by Chronawflow at every start of this server; changes are lost.\n${lines.join('\n')}\n`;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
