import { type Segment, segmentName } from './segment.pure';
import { type Lineage, segmentOn } from './timeline.pure';

/** Segments that are not in the repository between two that are (or before the one that should be the last). */
export interface WalGap {
  readonly firstMissing: Segment;
  readonly lastMissing: Segment;
  /** Last segment before the gap; recovery can go to its end. Absent when the very first segment is missing. */
  readonly lastPresent?: Segment;
}

export interface ContinuityRequest {
  readonly lineage: Lineage;
  /** Numbers of the first segment that recovery reads and of the last one it may need. */
  readonly from: bigint;
  readonly to: bigint;
  /** Names of the segments in the repository. */
  readonly present: ReadonlySet<string>;
  readonly segmentBytes: number;
}

/** Every gap between `from` and `to`, in order; empty means that recovery can read all of it. */
export function findGaps({ lineage, from, to, present, segmentBytes }: ContinuityRequest): WalGap[] {
  const gaps: WalGap[] = [];
  let lastPresent: Segment | undefined;
  let firstMissing: Segment | undefined;
  let lastMissing: Segment | undefined;
  const close = (): void => {
    if (firstMissing !== undefined && lastMissing !== undefined) {
      gaps.push({ firstMissing, lastMissing, ...(lastPresent && { lastPresent }) });
    }
    firstMissing = undefined;
  };
  for (let number = from; number <= to; number += 1n) {
    const segment = segmentOn(lineage, number, segmentBytes);
    if (present.has(segmentName(segment, segmentBytes))) {
      close();
      lastPresent = segment;
    } else {
      firstMissing ??= segment;
      lastMissing = segment;
    }
  }
  close();
  return gaps;
}

/** `000000010000000000000005` or `000000010000000000000005 to 000000010000000000000008` */
export function describeGap(gap: WalGap, segmentBytes: number): string {
  const first = segmentName(gap.firstMissing, segmentBytes);
  const last = segmentName(gap.lastMissing, segmentBytes);
  return first === last ? first : `${first} to ${last}`;
}
