import type { PrimaryLimits } from './server-settings.pure';

/** The parts of `pg_controldata` that a recovery has to know. */
export interface ControlData {
  readonly systemId: string;
  readonly segmentBytes: number;
  readonly limits: PrimaryLimits;
  readonly trackCommitTimestamp: boolean;
}

/** Reads the output of `pg_controldata` run with LC_ALL=C. Labels: PostgreSQL 15, src/bin/pg_controldata/pg_controldata.c */
export function parseControlData(text: string): ControlData | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const number = (label: string): number => Number(values.get(`${label} setting`) ?? 0);
  const systemId = values.get('Database system identifier');
  const segmentBytes = Number(values.get('Bytes per WAL segment'));
  if (systemId === undefined || !Number.isInteger(segmentBytes) || segmentBytes <= 0) return undefined;
  return {
    systemId,
    segmentBytes,
    limits: {
      max_connections: number('max_connections'),
      max_worker_processes: number('max_worker_processes'),
      max_wal_senders: number('max_wal_senders'),
      max_prepared_transactions: number('max_prepared_xacts'),
      max_locks_per_transaction: number('max_locks_per_xact'),
    },
    trackCommitTimestamp: values.get('track_commit_timestamp setting') === 'on',
  };
}

/** The higher of both for every limit: WAL between the backup and the target may have been written under either. */
export function highest(a: PrimaryLimits, b: PrimaryLimits): PrimaryLimits {
  return {
    max_connections: Math.max(a.max_connections, b.max_connections),
    max_worker_processes: Math.max(a.max_worker_processes, b.max_worker_processes),
    max_wal_senders: Math.max(a.max_wal_senders, b.max_wal_senders),
    max_prepared_transactions: Math.max(a.max_prepared_transactions, b.max_prepared_transactions),
    max_locks_per_transaction: Math.max(a.max_locks_per_transaction, b.max_locks_per_transaction),
  };
}
