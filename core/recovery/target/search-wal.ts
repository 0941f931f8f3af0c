import type { ClusterHistory } from '../backup/cluster-history';
import { inspectSegment } from '../backup/inspect-segment';
import type { BackupProvider } from '../backup/provider';
import { parseSegment, segmentName } from '../backup/segment.pure';
import { type Lineage, segmentOn } from '../backup/timeline.pure';
import type { StopRecord } from '../backup/wal-dump.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { usableBackups } from './plan-recovery.pure';

export type SearchResult =
  | { readonly kind: 'found'; readonly record: StopRecord }
  | { readonly kind: 'absent' }
  /** This host cannot look into segments. */
  | { readonly kind: 'unknown' };

export interface Search {
  readonly history: ClusterHistory;
  readonly lineage: Lineage;
  readonly last: bigint;
  readonly segmentBytes: number;
  readonly matches: (record: StopRecord) => boolean;
}

/** Looks for one record in the archived WAL, from the newest segment back to the oldest backup. */
export async function searchWal(
  ctx: RecoveryContext,
  provider: BackupProvider,
  search: Search,
  control: StepControl,
): Promise<SearchResult> {
  const { history, lineage, segmentBytes } = search;
  const oldest = usableBackups(history.content.backups, lineage)[0];
  const first = oldest && parseSegment(oldest.archiveStart, segmentBytes)?.number;
  if (first === undefined) return { kind: 'absent' };
  const total = Number(search.last - first) + 1;
  for (let number = search.last; number >= first; number -= 1n) {
    control.signal?.throwIfAborted();
    const name = segmentName(segmentOn(lineage, number, segmentBytes), segmentBytes);
    if (!history.archive.segments.has(name)) continue;
    control.progress?.({ step: 'searching the archive', done: Number(search.last - number), total });
    const records = await inspectSegment(ctx, provider, name, control);
    if (records === undefined) return { kind: 'unknown' };
    const record = records.find(search.matches);
    if (record !== undefined) return { kind: 'found', record };
  }
  return { kind: 'absent' };
}
