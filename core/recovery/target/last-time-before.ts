import type { ClusterHistory } from '../backup/cluster-history';
import { inspectSegment, lastTime } from '../backup/inspect-segment';
import type { BackupProvider } from '../backup/provider';
import { segmentName } from '../backup/segment.pure';
import { type Lineage, segmentOn } from '../backup/timeline.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { formatInstant, fromSeconds } from './instant.pure';

/** The time of the last commit in a run of segments: itself, or an upper bound of it. */
export interface LastTime {
  readonly at: string;
  readonly exact: boolean;
}

/** Segments without any commit are rare and come in a row only on an idle cluster with archive_timeout. */
const LOOK_BACK = 16n;

/** Looks back from segment `last`, not further than `first`. */
export async function lastTimeBefore(
  ctx: RecoveryContext,
  provider: BackupProvider,
  where: {
    readonly history: ClusterHistory;
    readonly lineage: Lineage;
    readonly segmentBytes: number;
    readonly first: bigint;
    readonly last: bigint;
  },
  control: StepControl,
): Promise<LastTime | undefined> {
  const { history, lineage, segmentBytes, first, last } = where;
  const name = (number: bigint): string =>
    segmentName(segmentOn(lineage, number, segmentBytes), segmentBytes);
  for (let number = last; number >= first && number > last - LOOK_BACK; number -= 1n) {
    const records = await inspectSegment(ctx, provider, name(number), control);
    if (records === undefined) break;
    const at = lastTime(records);
    if (at !== undefined) return { at, exact: true };
  }
  const archived = history.archive.segments.get(name(last));
  return archived && { at: formatInstant(fromSeconds(archived.archivedAt)), exact: false };
}
