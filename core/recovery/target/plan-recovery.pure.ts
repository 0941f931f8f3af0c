import type { ArchivedSegment, BackupSummary } from '../backup/provider';
import { type Lsn, parseLsn, parseSegment, segmentNumber } from '../backup/segment.pure';
import { type Lineage, leadsTo } from '../backup/timeline.pure';
import { findGaps, type WalGap } from '../backup/wal-continuity.pure';
import { fromSeconds, type Micros, micros } from './instant.pure';

/** Where in the history the target lies. A transaction's and a restore point's position is known by the time it is planned. */
export type TargetPosition =
  | { readonly kind: 'time'; readonly at: Micros }
  | { readonly kind: 'lsn'; readonly lsn: Lsn };

export interface PlanRequest {
  readonly position: TargetPosition;
  readonly lineage: Lineage;
  readonly backups: readonly BackupSummary[];
  readonly segments: ReadonlyMap<string, ArchivedSegment>;
  readonly segmentBytes: number;
  /** Last segment that recovery may read: the fence's, or the last archived one of an abandoned timeline. */
  readonly last: bigint;
}

export type RecoveryPlan =
  | {
      readonly kind: 'ready';
      readonly backup: BackupSummary;
      readonly first: bigint;
      readonly last: bigint;
    }
  /** `last` is the last segment before the gap: a target inside what it holds is still reachable. */
  | {
      readonly kind: 'gap';
      readonly backup: BackupSummary;
      readonly first: bigint;
      readonly last?: bigint;
      readonly gap: WalGap;
      /** The next backup that starts behind the gap, from whose end on everything is restorable again. */
      readonly nextBackup?: BackupSummary;
    }
  | { readonly kind: 'before-first-backup'; readonly earliest?: BackupSummary };

/** Chooses the newest backup that ends before the target, and checks that the WAL from its start on has no gap. */
export function planRecovery(request: PlanRequest): RecoveryPlan {
  const { lineage, segmentBytes, position } = request;
  const usable = usableBackups(request.backups, lineage);
  const backup = usable.findLast((candidate) => endsBefore(candidate, position));
  if (backup === undefined) return { kind: 'before-first-backup', earliest: usable[0] };

  const first = numberOf(backup.archiveStart, segmentBytes);
  const present = new Set(request.segments.keys());
  const gap = findGaps({ lineage, from: first, to: request.last, present, segmentBytes })[0];
  if (gap === undefined) return { kind: 'ready', backup, first, last: request.last };

  const last = gap.lastPresent?.number;
  // Before its own end record a backup is not consistent: a gap inside it spoils it for every target.
  const consistent = last !== undefined && last >= numberOf(backup.archiveStop, segmentBytes);
  if (consistent && position.kind === 'lsn' && segmentNumber(position.lsn, segmentBytes) <= last) {
    return { kind: 'ready', backup, first, last };
  }
  const nextBackup = usable.find(
    (candidate) => numberOf(candidate.archiveStart, segmentBytes) > gap.lastMissing.number,
  );
  return { kind: 'gap', backup, first, gap, nextBackup, ...(consistent ? { last } : {}) };
}

/** Unflawed backups that lead along the lineage, oldest first by their place in the WAL. */
export function usableBackups(backups: readonly BackupSummary[], lineage: Lineage): BackupSummary[] {
  return backups
    .filter((backup) => !backup.flawed && leadsTo(lineage, timelineOf(backup), parseLsn(backup.lsnStop)))
    .sort((a, b) => Number(parseLsn(a.lsnStop) - parseLsn(b.lsnStop)));
}

/** pgBackRest cuts the fraction off, so everything from the next second on is surely behind the backup's end. */
export function restorableFrom(backup: BackupSummary): Micros {
  return micros(fromSeconds(backup.stoppedAt) + 1_000_000n);
}

function endsBefore(backup: BackupSummary, position: TargetPosition): boolean {
  return position.kind === 'time'
    ? restorableFrom(backup) <= position.at
    : parseLsn(backup.lsnStop) <= position.lsn;
}

function timelineOf(backup: BackupSummary): number {
  return Number.parseInt(backup.archiveStop.slice(0, 8), 16);
}

function numberOf(name: string, segmentBytes: number): bigint {
  const segment = parseSegment(name, segmentBytes);
  if (segment === undefined) throw new RangeError(`'${name}' is no WAL segment`);
  return segment.number;
}
