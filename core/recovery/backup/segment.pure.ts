/**
 * Arithmetic on WAL positions and segment file names.
 * Source: PostgreSQL 15, src/include/access/xlog_internal.h (XLogFileName) and documentation 30.6 WAL Internals.
 */

/** Byte position in the WAL. */
export type Lsn = bigint & { readonly brand: 'Lsn' };

/** A segment: the timeline it was written on and its number, counted from 0 in units of the cluster's segment size. */
export interface Segment {
  readonly timeline: number;
  readonly number: bigint;
}

const FOUR_GIB = 0x1_0000_0000n;
const NAME = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;

/** `0/3000148` → position. Throws on anything else: such text comes from PostgreSQL or was checked before. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (match === null) throw new RangeError(`'${text}' is no LSN`);
  return (BigInt(`0x${match[1]}`) * FOUR_GIB + BigInt(`0x${match[2]}`)) as Lsn;
}

export function formatLsn(lsn: bigint): string {
  const hex = (value: bigint): string => value.toString(16).toUpperCase();
  return `${hex(lsn / FOUR_GIB)}/${hex(lsn % FOUR_GIB)}`;
}

/** `undefined` for names that are no segment: history files, backup labels, partial segments. */
export function parseSegment(name: string, segmentBytes: number): Segment | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const low = BigInt(`0x${match[3]}`);
  const perFile = FOUR_GIB / BigInt(segmentBytes);
  if (low >= perFile) return undefined;
  return {
    timeline: Number.parseInt(match[1] ?? '', 16),
    number: BigInt(`0x${match[2]}`) * perFile + low,
  };
}

export function segmentName(segment: Segment, segmentBytes: number): string {
  const perFile = FOUR_GIB / BigInt(segmentBytes);
  const hex = (value: bigint): string => value.toString(16).toUpperCase().padStart(8, '0');
  return hex(BigInt(segment.timeline)) + hex(segment.number / perFile) + hex(segment.number % perFile);
}

/** Number of the segment that holds the byte at `lsn`. */
export function segmentNumber(lsn: Lsn, segmentBytes: number): bigint {
  return lsn / BigInt(segmentBytes);
}

/** First byte of a segment. */
export function segmentStart(number: bigint, segmentBytes: number): Lsn {
  return (number * BigInt(segmentBytes)) as Lsn;
}
