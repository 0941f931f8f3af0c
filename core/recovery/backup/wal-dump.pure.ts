import { formatInstant, parseInstant } from '../target/instant.pure';

/** A record of a segment at which recovery can stop, as `pg_waldump` prints it with TZ=UTC. */
export interface StopRecord {
  /** Where the record begins. */
  readonly lsn: string;
  readonly kind: 'commit' | 'abort' | 'restore-point';
  /** ISO 8601 in UTC with microseconds; restore points are printed without a time. */
  readonly at?: string;
  readonly xid?: string;
  /** Name of a restore point. */
  readonly name?: string;
}

const LINE =
  /\btx:\s*(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), prev [^,]+, desc: (COMMIT|ABORT|RESTORE_POINT)(_PREPARED)?\s(.*)$/;
const TIME = /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC/;

/**
 * Reads one line of `pg_waldump`; `undefined` for all records at which recovery does not stop.
 * Source of the form: PostgreSQL 15, src/bin/pg_waldump/pg_waldump.c and access/rmgrdesc/xactdesc.c, xlogdesc.c.
 */
export function parseDumpLine(line: string): StopRecord | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, tx = '', lsn = '', word, prepared, rest = ''] = match;
  if (word === 'RESTORE_POINT') return { lsn, kind: 'restore-point', name: rest.trim() };
  const instant = parseInstant(`${TIME.exec(rest)?.[1] ?? ''}Z`);
  // COMMIT_PREPARED names the prepared transaction first: its own record belongs to none.
  const xid = prepared === undefined ? tx : (/^(\d+)/.exec(rest.trim())?.[1] ?? tx);
  return {
    lsn,
    kind: word === 'COMMIT' ? 'commit' : 'abort',
    xid,
    ...(instant === undefined ? {} : { at: formatInstant(instant) }),
  };
}
