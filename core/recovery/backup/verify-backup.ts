import type { RecoveryContext, StepControl } from '../engine';
import { BackupDamagedError } from '../errors/backup-damaged-error';
import { BackupOfOtherClusterError } from '../errors/backup-of-other-cluster-error';
import { TargetInWalGapError } from '../errors/target-in-wal-gap-error';
import { lastTimeBefore } from '../target/last-time-before';
import { readServerPosition } from '../target/server-position';
import type { BackupVerification, ResolvedTarget } from '../types';
import { backupProvider } from './backup-provider';
import { type ClusterHistory, lineageIn, readClusterHistory } from './cluster-history';
import { parseSegment, segmentName } from './segment.pure';
import { historyFileName, type Lineage, segmentOn } from './timeline.pure';
import { describeGap, findGaps } from './wal-continuity.pure';

/**
 * Proves from the repository's own listing that everything the restore will read is there: every file of the backup's
 * manifest with its size, and every WAL segment from the backup's start to the fence. pgBackRest's `verify` does not
 * notice WAL that is gone. The content of the files is proved by the restore, which compares every checksum.
 */
export async function verifyBackup(
  ctx: RecoveryContext,
  target: ResolvedTarget,
  control: StepControl,
): Promise<BackupVerification> {
  const provider = backupProvider(ctx.config.application.backup);
  const server = await readServerPosition(ctx.application);
  const history = await readClusterHistory(provider, target.systemId, control);
  const backup = history.content.backups.find((candidate) => candidate.label === target.backupLabel);
  if (backup === undefined) {
    throw history.content.knownSystems.includes(target.systemId)
      ? new BackupDamagedError(
          `backup ${target.backupLabel}`,
          [target.backupLabel],
          'it is no longer in the repository',
        )
      : new BackupOfOtherClusterError(provider.name, target.systemId, history.content.knownSystems);
  }
  const lineage = lineageIn(history, target.timeline);
  if (lineage === undefined) {
    const file = historyFileName(target.timeline);
    throw new BackupDamagedError('the WAL archive', [file], `${file} is missing`);
  }
  const { first, last } = range(target, server.segmentBytes);
  refuseGaps(target, history, lineage, first, last, server.segmentBytes);
  refuseContradictions(history, lineage, first, last, server.segmentBytes);

  control.progress?.({ step: 'checking the backup files' });
  const { problems } = await provider.checkFiles(target.backupLabel, control);
  if (problems.length > 0) {
    const shown = problems.slice(0, 3).map(({ file, problem }) => `${file} (${problem})`);
    const more = problems.length > shown.length ? ` and ${problems.length - shown.length} more` : '';
    throw new BackupDamagedError(
      `backup ${target.backupLabel}`,
      problems.map(({ file }) => file),
      `${shown.join(', ')}${more}`,
    );
  }
  const where = { history, lineage, segmentBytes: server.segmentBytes, first, last };
  const latest = await lastTimeBefore(ctx, provider, where, control);
  return {
    backupLabel: target.backupLabel,
    segments: Number(last - first) + 1,
    latestRestorable: latest?.at ?? target.at ?? '',
    checkedAt: await clock(ctx),
  };
}

function range(target: ResolvedTarget, segmentBytes: number): { first: bigint; last: bigint } {
  const first = parseSegment(target.firstSegment, segmentBytes);
  const last = parseSegment(target.fenceSegment, segmentBytes);
  if (first === undefined || last === undefined) {
    throw new RangeError(
      `the target's WAL range ${target.firstSegment} to ${target.fenceSegment} has another segment size`,
    );
  }
  return { first: first.number, last: last.number };
}

function refuseGaps(
  target: ResolvedTarget,
  { archive }: ClusterHistory,
  lineage: Lineage,
  from: bigint,
  to: bigint,
  segmentBytes: number,
): void {
  const present = new Set(archive.segments.keys());
  const gap = findGaps({ lineage, from, to, present, segmentBytes })[0];
  if (gap === undefined) return;
  throw new TargetInWalGapError(target.at ?? target.value, target.backupLabel, {
    segments: describeGap(gap, segmentBytes),
  });
}

function refuseContradictions(
  { archive }: ClusterHistory,
  lineage: Lineage,
  first: bigint,
  last: bigint,
  segmentBytes: number,
): void {
  for (let number = first; number <= last; number += 1n) {
    const name = segmentName(segmentOn(lineage, number, segmentBytes), segmentBytes);
    if (archive.segments.get(name)?.contradictory) {
      throw new BackupDamagedError(
        'the WAL archive',
        [name],
        `${name} is stored twice with different content`,
      );
    }
  }
}

async function clock(ctx: RecoveryContext): Promise<string> {
  const { rows } = await ctx.application.query<{ at: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return rows[0]?.at ?? '';
}
