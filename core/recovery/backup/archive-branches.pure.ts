import type { ArchivedSegment } from './provider';
import { type Lsn, parseSegment, type Segment, segmentNumber } from './segment.pure';
import type { HistoryEntry, Lineage } from './timeline.pure';

/** WAL in the repository that is not part of a lineage: a cluster went on there after another was promoted. */
export interface Branch {
  readonly timeline: number;
  /** Where it leaves the lineage. Records of it at or behind this position exist on the branch only. */
  readonly from: Lsn;
  readonly first: Segment;
  readonly last: Segment;
}

export interface BranchRequest {
  readonly lineage: Lineage;
  /** Histories of the timelines that have one. */
  readonly histories: ReadonlyMap<number, readonly HistoryEntry[]>;
  readonly segments: ReadonlyMap<string, ArchivedSegment>;
  readonly segmentBytes: number;
}

/** One branch for every timeline that has WAL outside the lineage; none in the life of most clusters. */
export function branchesBeside({ lineage, histories, segments, segmentBytes }: BranchRequest): Branch[] {
  const byTimeline = new Map<number, Segment[]>();
  for (const name of segments.keys()) {
    const segment = parseSegment(name, segmentBytes);
    if (segment === undefined) continue;
    const sameTimeline = byTimeline.get(segment.timeline);
    if (sameTimeline === undefined) byTimeline.set(segment.timeline, [segment]);
    else sameTimeline.push(segment);
  }
  const branches: Branch[] = [];
  for (const [timeline, all] of [...byTimeline].sort(([a], [b]) => a - b)) {
    const from = leavesAt(timeline, lineage, histories);
    if (from === undefined) continue;
    const outside = all
      .filter((segment) => segment.number >= segmentNumber(from, segmentBytes))
      .sort((a, b) => (a.number < b.number ? -1 : 1));
    const [first, last] = [outside[0], outside.at(-1)];
    if (first !== undefined && last !== undefined) branches.push({ timeline, from, first, last });
  }
  return branches;
}

/** Where a timeline leaves the lineage: its end there, else the point at which it left its own parent. */
function leavesAt(
  timeline: number,
  lineage: Lineage,
  histories: ReadonlyMap<number, readonly HistoryEntry[]>,
): Lsn | undefined {
  const part = lineage.find((candidate) => candidate.timeline === timeline);
  return part === undefined ? histories.get(timeline)?.at(-1)?.end : part.end;
}
