import { type Branch, branchesBeside } from '../backup/archive-branches.pure';
import type { ClusterHistory } from '../backup/cluster-history';
import { inspectSegment } from '../backup/inspect-segment';
import type { BackupProvider } from '../backup/provider';
import { parseLsn, segmentName, segmentStart } from '../backup/segment.pure';
import type { Lineage } from '../backup/timeline.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { TargetTimelineAmbiguousError } from '../errors/target-timeline-ambiguous-error';
import { fromSeconds, type Micros, micros, parseInstant } from './instant.pure';
import type { TargetPosition } from './plan-recovery.pure';

export interface AmbiguityRequest {
  readonly label: string;
  readonly position: TargetPosition;
  readonly timeline: number;
  readonly lineage: Lineage;
  readonly history: ClusterHistory;
  readonly segmentBytes: number;
}

/** Where nobody named a timeline, a target that an abandoned one has as well is a question, not a guess. */
export async function refuseAmbiguous(
  ctx: RecoveryContext,
  provider: BackupProvider,
  request: AmbiguityRequest,
  control: StepControl,
): Promise<void> {
  const { history, segmentBytes, position } = request;
  const branches = branchesBeside({
    lineage: request.lineage,
    histories: history.histories,
    segments: history.archive.segments,
    segmentBytes,
  });
  const also: number[] = [];
  for (const branch of branches) {
    const covers =
      position.kind === 'lsn'
        ? position.lsn >= branch.from && position.lsn < segmentStart(branch.last.number + 1n, segmentBytes)
        : await coversTime(ctx, provider, request, branch, position.at, control);
    if (covers) also.push(branch.timeline);
  }
  if (also.length > 0) throw new TargetTimelineAmbiguousError(request.label, [...also, request.timeline]);
}

async function coversTime(
  ctx: RecoveryContext,
  provider: BackupProvider,
  request: AmbiguityRequest,
  branch: Branch,
  at: Micros,
  control: StepControl,
): Promise<boolean> {
  const { history, segmentBytes } = request;
  const last = history.archive.segments.get(segmentName(branch.last, segmentBytes));
  // Archived whole seconds, cut off: nothing in the segment was committed a second after that.
  const end = fromSeconds((last?.archivedAt ?? 0) + 1);
  if (at >= end) return false;
  const begin = await beginOf(ctx, provider, request, branch, control);
  return begin !== undefined && at >= begin;
}

/** First commit that only the branch has; undefined when it has none. */
async function beginOf(
  ctx: RecoveryContext,
  provider: BackupProvider,
  { history, segmentBytes }: AmbiguityRequest,
  branch: Branch,
  control: StepControl,
): Promise<Micros | undefined> {
  for (let number = branch.first.number; number <= branch.last.number; number += 1n) {
    const name = segmentName({ timeline: branch.timeline, number }, segmentBytes);
    if (!history.archive.segments.has(name)) continue;
    const records = await inspectSegment(ctx, provider, name, control);
    if (records === undefined) return earliestPossible(history, branch);
    const own = records.find((record) => record.at !== undefined && parseLsn(record.lsn) >= branch.from);
    if (own?.at !== undefined) return parseInstant(own.at);
  }
  return undefined;
}

/** Without a look into the WAL: surely not before the last backup that ended before the branch. Asks rather too often. */
function earliestPossible(history: ClusterHistory, branch: Branch): Micros {
  const backup = history.content.backups.findLast((candidate) => parseLsn(candidate.lsnStop) <= branch.from);
  return backup === undefined ? micros(0n) : fromSeconds(backup.stoppedAt);
}
