import { backupProvider } from '../backup/backup-provider';
import { type ClusterHistory, lineageIn, readClusterHistory } from '../backup/cluster-history';
import type { BackupProvider } from '../backup/provider';
import { parseLsn, parseSegment, segmentName } from '../backup/segment.pure';
import { historyFileName, type Lineage, leadsTo, segmentOn } from '../backup/timeline.pure';
import { describeGap } from '../backup/wal-continuity.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { BackupDamagedError } from '../errors/backup-damaged-error';
import { BackupOfOtherClusterError } from '../errors/backup-of-other-cluster-error';
import { TargetBeforeFirstBackupError } from '../errors/target-before-first-backup-error';
import { TargetInWalGapError } from '../errors/target-in-wal-gap-error';
import { TargetNotFoundError } from '../errors/target-not-found-error';
import type { ResolvedTarget, TargetRequest } from '../types';
import { type Fence, waitUntilArchived, writeFence } from './fence';
import { formatInstant, fromSeconds, type Micros, parseInstant } from './instant.pure';
import { lastTimeBefore } from './last-time-before';
import { type LocatedTarget, locate } from './locate';
import {
  planRecovery,
  type RecoveryPlan,
  restorableFrom,
  type TargetPosition,
  usableBackups,
} from './plan-recovery.pure';
import { refuseAmbiguous } from './refuse-ambiguous';
import { searchWal } from './search-wal';
import { readServerPosition, type ServerPosition } from './server-position';

/** What the steps below share. */
interface Resolution {
  readonly ctx: RecoveryContext;
  readonly provider: BackupProvider;
  readonly control: StepControl;
  readonly server: ServerPosition;
  readonly history: ClusterHistory;
  readonly timeline: number;
  readonly lineage: Lineage;
  /** Last segment that recovery may read. */
  readonly last: bigint;
}

/**
 * Turns what a person asked for into what recovery will be told, with the backup to start from and the WAL it needs.
 * Relative times are by the application database's clock. On the current timeline a fence is committed and archived
 * first, so that recovery finds a commit behind the target.
 */
export async function resolveTarget(
  ctx: RecoveryContext,
  request: TargetRequest,
  options: { readonly timeline?: number },
  control: StepControl,
): Promise<ResolvedTarget> {
  const provider = backupProvider(ctx.config.application.backup);
  const server = await readServerPosition(ctx.application);
  const target = await locate(ctx, request, server);
  const fence = await writeFence(ctx.application);
  const archive = waitUntilArchived(ctx, provider, server.systemId, fence.segment, control);
  const history = await readClusterHistory(provider, server.systemId, control, archive);
  if (!history.content.knownSystems.includes(server.systemId)) {
    const { stanza } = ctx.config.application.backup;
    throw new BackupOfOtherClusterError(stanza, server.systemId, history.content.knownSystems);
  }
  const timeline = options.timeline ?? timelineOf(target, history, server);
  const lineage = requireLineage(history, timeline, target, server);
  const last = lastSegment(history, lineage, timeline, server, fence);
  const resolution: Resolution = { ctx, provider, control, server, history, timeline, lineage, last };

  const found = await position(resolution, target);
  const asked = options.timeline !== undefined || target.recorded !== undefined;
  if (!asked) {
    const { segmentBytes } = server;
    const question = {
      label: target.label,
      position: found.position,
      timeline,
      lineage,
      history,
      segmentBytes,
    };
    await refuseAmbiguous(ctx, provider, question, control);
  }
  const plan = await reachable(resolution, target, found.position);
  return describe(resolution, target, found.at, plan, fence);
}

/** A recorded point names its timeline; everything else means the one the cluster is on. */
function timelineOf(target: LocatedTarget, history: ClusterHistory, server: ServerPosition): number {
  if (target.recorded === undefined) return server.timeline;
  const { timeline, lsn } = target.recorded;
  const current = lineageIn(history, server.timeline);
  return current !== undefined && leadsTo(current, timeline, lsn) ? server.timeline : timeline;
}

function requireLineage(
  history: ClusterHistory,
  timeline: number,
  target: LocatedTarget,
  server: ServerPosition,
): Lineage {
  const lineage = lineageIn(history, timeline);
  if (lineage !== undefined) return lineage;
  const file = historyFileName(timeline);
  if (timeline !== server.timeline) {
    throw new TargetNotFoundError(target.label, `the repository knows no timeline ${timeline} (no ${file})`);
  }
  throw new BackupDamagedError('the WAL archive', [file], `${file} of the current timeline is missing`);
}

/** The fence's segment; on another timeline than the cluster's, the last one that was archived. */
function lastSegment(
  history: ClusterHistory,
  lineage: Lineage,
  timeline: number,
  server: ServerPosition,
  fence: Fence,
): bigint {
  const fenceNumber = parseSegment(fence.segment, server.segmentBytes)?.number ?? 0n;
  if (timeline === server.timeline) return fenceNumber;
  let last = 0n;
  for (const name of history.archive.segments.keys()) {
    const segment = parseSegment(name, server.segmentBytes);
    if (segment === undefined || segment.number <= last) continue;
    if (segmentOn(lineage, segment.number, server.segmentBytes).timeline === segment.timeline)
      last = segment.number;
  }
  return last;
}

async function position(
  { ctx, provider, control, server, history, lineage, last }: Resolution,
  target: LocatedTarget,
): Promise<{ position: TargetPosition; at?: string }> {
  if (target.position !== undefined) return { position: target.position, at: target.at };
  const matches = target.matches ?? (() => false);
  const { segmentBytes } = server;
  const result = await searchWal(ctx, provider, { history, lineage, last, segmentBytes, matches }, control);
  switch (result.kind) {
    case 'found':
      return { position: { kind: 'lsn', lsn: parseLsn(result.record.lsn) }, at: result.record.at };
    case 'absent':
      throw new TargetNotFoundError(
        target.label,
        'it is in no recovery point and in no archived WAL since the oldest backup',
      );
    case 'unknown': {
      // Nobody can say where it is; from the oldest backup on recovery passes it in any case.
      const oldest = usableBackups(history.content.backups, lineage)[0];
      if (oldest === undefined) throw new TargetBeforeFirstBackupError(target.label, undefined);
      return { position: { kind: 'lsn', lsn: parseLsn(oldest.lsnStop) } };
    }
  }
}

/** The plan, or the error that says why there is none. A gap behind the target does no harm. */
async function reachable(
  { ctx, provider, control, server, history, lineage, last }: Resolution,
  target: LocatedTarget,
  where: TargetPosition,
): Promise<Extract<RecoveryPlan, { kind: 'ready' }>> {
  const { segmentBytes } = server;
  const { backups } = history.content;
  const { segments } = history.archive;
  const plan = planRecovery({ position: where, lineage, backups, segments, segmentBytes, last });
  switch (plan.kind) {
    case 'ready':
      return plan;
    case 'before-first-backup': {
      const { earliest } = plan;
      const text =
        where.kind === 'lsn' ? earliest?.lsnStop : earliest && formatInstant(restorableFrom(earliest));
      throw new TargetBeforeFirstBackupError(target.label, text);
    }
    case 'gap': {
      const before =
        plan.last === undefined
          ? undefined
          : await lastTimeBefore(
              ctx,
              provider,
              { history, lineage, segmentBytes, first: plan.first, last: plan.last },
              control,
            );
      if (plan.last !== undefined && where.kind === 'time' && before && liesBefore(where.at, before)) {
        return { kind: 'ready', backup: plan.backup, first: plan.first, last: plan.last };
      }
      throw new TargetInWalGapError(target.label, plan.backup.label, {
        segments: describeGap(plan.gap, segmentBytes),
        before: before?.at,
        after: plan.nextBackup && formatInstant(restorableFrom(plan.nextBackup)),
      });
    }
  }
}

/** Recovery needs a commit behind the target. An upper bound is given a try: the scratch cluster says if it was one. */
function liesBefore(at: Micros, last: { readonly at: string; readonly exact: boolean }): boolean {
  const bound = parseInstant(last.at) ?? fromSeconds(0);
  return last.exact ? at < bound : at <= bound;
}

function describe(
  { server, timeline, lineage }: Resolution,
  target: LocatedTarget,
  at: string | undefined,
  plan: Extract<RecoveryPlan, { kind: 'ready' }>,
  fence: Fence,
): ResolvedTarget {
  const { segmentBytes, systemId } = server;
  const name = (number: bigint): string =>
    segmentName(segmentOn(lineage, number, segmentBytes), segmentBytes);
  const fenceSegment = name(plan.last);
  return {
    kind: target.kind,
    value: target.value,
    ...(at === undefined ? {} : { at }),
    timeline,
    backupLabel: plan.backup.label,
    clusterBytes: plan.backup.clusterBytes,
    firstSegment: name(plan.first),
    fenceSegment,
    // Before a gap and on an abandoned timeline another commit stands behind the target.
    fenceToken: fenceSegment === fence.segment ? fence.token : '',
    systemId,
  };
}
