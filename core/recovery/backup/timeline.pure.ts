import { type Lsn, parseLsn, type Segment, segmentNumber } from './segment.pure';

/** One line of a `.history` file: `timeline` ended at `end`, where its successor begins. */
export interface HistoryEntry {
  readonly timeline: number;
  readonly end: Lsn;
  readonly reason: string;
}

/** The timelines that lead to one timeline, oldest first; the last has no end. */
export type Lineage = readonly { readonly timeline: number; readonly start: Lsn; readonly end?: Lsn }[];

/**
 * Reads the content of `<timeline>.history`.
 * Source: PostgreSQL 15, src/backend/access/transam/timeline.c (readTimeLineHistory): parentTLI, LSN, reason; # starts a comment.
 */
export function parseHistory(text: string): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const line of text.split('\n')) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const match = /^(\d+)\s+([0-9A-F]+\/[0-9A-F]+)\s*(.*)$/i.exec(content);
    if (match === null) throw new RangeError(`'${content}' is no line of a timeline history`);
    entries.push({ timeline: Number(match[1]), end: parseLsn(match[2] ?? ''), reason: match[3] ?? '' });
  }
  return entries;
}

/** `00000002.history` */
export function historyFileName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

/** `history` is the content of the timeline's own file; timeline 1 has none. */
export function lineageOf(timeline: number, history: readonly HistoryEntry[]): Lineage {
  let start = 0n as Lsn;
  const lineage: { timeline: number; start: Lsn; end?: Lsn }[] = [];
  for (const entry of history) {
    lineage.push({ timeline: entry.timeline, start, end: entry.end });
    start = entry.end;
  }
  lineage.push({ timeline, start });
  return lineage;
}

/** The timeline that wrote the byte at `lsn`, seen from the lineage's last timeline. */
export function timelineAt(lineage: Lineage, lsn: Lsn): number {
  const owner = lineage.findLast((part) => lsn >= part.start);
  return owner?.timeline ?? lineage[0]?.timeline ?? 1;
}

/**
 * The file that recovery along the lineage reads for a segment number. Where a timeline ends inside a segment, its
 * successor has the whole segment (a copy up to the switch), and recovery takes that one.
 */
export function segmentOn(lineage: Lineage, number: bigint, segmentBytes: number): Segment {
  const owner = lineage.findLast((part) => number >= segmentNumber(part.start, segmentBytes));
  return { timeline: owner?.timeline ?? lineage[0]?.timeline ?? 1, number };
}

/** True when everything before `lsn` on `timeline` is part of the lineage: a backup that ended there can be rolled forward along it. */
export function leadsTo(lineage: Lineage, timeline: number, lsn: Lsn): boolean {
  const part = lineage.find((candidate) => candidate.timeline === timeline);
  return part !== undefined && lsn >= part.start && (part.end === undefined || lsn <= part.end);
}
