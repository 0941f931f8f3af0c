import type { Pool } from 'pg';
import { type Lsn, parseLsn } from '../backup/segment.pure';
import { type Micros, micros } from './instant.pure';

/** Where the application's cluster is now, by its own clock and WAL. */
export interface ServerPosition {
  readonly now: Micros;
  readonly lsn: Lsn;
  readonly timeline: number;
  readonly systemId: string;
  readonly segmentBytes: number;
  readonly major: number;
}

interface Row {
  readonly now_us: string;
  readonly lsn: string;
  readonly timeline_hex: string;
  readonly system_id: string;
  readonly segment_bytes: string;
  readonly version_num: string;
}

export async function readServerPosition(application: Pool): Promise<ServerPosition> {
  // The timeline comes from a file name: the control file learns of a promotion only at the next checkpoint.
  const { rows } = await application.query<Row>(`
    select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as now_us,
           pg_current_wal_insert_lsn()::text as lsn,
           substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) as timeline_hex,
           (select system_identifier::text from pg_control_system()) as system_id,
           (select setting from pg_settings where name = 'wal_segment_size') as segment_bytes,
           current_setting('server_version_num') as version_num`);
  const row = rows[0];
  if (row === undefined) throw new TypeError('a select without from gave no row');
  return {
    now: micros(BigInt(row.now_us)),
    lsn: parseLsn(row.lsn),
    timeline: Number.parseInt(row.timeline_hex, 16),
    systemId: row.system_id,
    segmentBytes: Number(row.segment_bytes),
    major: Math.trunc(Number(row.version_num) / 10_000),
  };
}
