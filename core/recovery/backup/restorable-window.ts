import type { RecoveryContext, StepControl } from '../engine';
import { formatInstant } from '../target/instant.pure';
import { type LastTime, lastTimeBefore } from '../target/last-time-before';
import { restorableFrom, usableBackups } from '../target/plan-recovery.pure';
import { readServerPosition, type ServerPosition } from '../target/server-position';
import { backupProvider } from './backup-provider';
import { type ClusterHistory, lineageIn, readClusterHistory } from './cluster-history';
import type { BackupProvider, BackupSummary } from './provider';
import { parseSegment } from './segment.pure';
import { type Lineage, segmentOn } from './timeline.pure';
import { describeGap, findGaps, type WalGap } from './wal-continuity.pure';

/** A stretch of time that cannot be restored, between two that can. */
export interface WindowGap {
  /** Missing segments: one name, or `first to last`. */
  readonly segments: string;
  /** Last commit before the gap; `beforeExact` is false where only an upper bound of it is known. */
  readonly before?: string;
  readonly beforeExact: boolean;
  /** Earliest restorable time behind the gap; absent until there is a backup that began behind it. */
  readonly after?: string;
}

/** What the repository can bring back on the cluster's present timeline. */
export interface RestorableWindow {
  readonly systemId: string;
  readonly timeline: number;
  readonly earliest?: string;
  /** Time of the last commit that is archived without a gap to a backup before it. */
  readonly latest?: string;
  /** False where `latest` is an upper bound: this host cannot look into the WAL. */
  readonly latestExact: boolean;
  readonly gaps: readonly WindowGap[];
  readonly backups: readonly BackupSummary[];
  /** By the application database's clock. */
  readonly checkedAt: string;
}

/** Reads the repository's listing; changes nothing, and writes no fence. */
export async function restorableWindow(
  ctx: RecoveryContext,
  control: StepControl = {},
): Promise<RestorableWindow> {
  const provider = backupProvider(ctx.config.application.backup);
  const server = await readServerPosition(ctx.application);
  const history = await readClusterHistory(provider, server.systemId, control);
  const base = {
    systemId: server.systemId,
    timeline: server.timeline,
    backups: history.content.backups,
    checkedAt: formatInstant(server.now),
  };
  const lineage = lineageIn(history, server.timeline);
  const usable = lineage === undefined ? [] : usableBackups(history.content.backups, lineage);
  const [oldest, newest] = [usable[0], usable.at(-1)];
  if (lineage === undefined || oldest === undefined || newest === undefined) {
    return { ...base, latestExact: false, gaps: [] };
  }
  const look = new Look(ctx, provider, server, history, lineage, control);
  const first = look.numberOf(oldest.archiveStart);
  const archived = look.lastArchived(first);
  // A gap behind the newest backup hides everything behind it; the window ends there.
  const gaps = findGaps(look.range(first, archived));
  const open = gaps.find((gap) => gap.lastMissing.number >= look.numberOf(newest.archiveStart));
  const end = open === undefined ? archived : (open.lastPresent?.number ?? first);
  const latest = await look.lastTime(first, end);
  const described: WindowGap[] = [];
  for (const gap of gaps) described.push(await look.describe(gap, first, usable));
  return {
    ...base,
    earliest: formatInstant(restorableFrom(oldest)),
    latest: latest?.at,
    latestExact: latest?.exact ?? false,
    gaps: described,
  };
}

/** The repository's content together with what is needed to speak about it in times. */
class Look {
  constructor(
    private readonly ctx: RecoveryContext,
    private readonly provider: BackupProvider,
    private readonly server: ServerPosition,
    private readonly history: ClusterHistory,
    private readonly lineage: Lineage,
    private readonly control: StepControl,
  ) {}

  numberOf(name: string): bigint {
    return parseSegment(name, this.server.segmentBytes)?.number ?? 0n;
  }

  /** The newest archived segment of the lineage. */
  lastArchived(first: bigint): bigint {
    const { segmentBytes } = this.server;
    let last = first;
    for (const name of this.history.archive.segments.keys()) {
      const segment = parseSegment(name, segmentBytes);
      if (segment === undefined || segment.number <= last) continue;
      if (segmentOn(this.lineage, segment.number, segmentBytes).timeline === segment.timeline)
        last = segment.number;
    }
    return last;
  }

  range(from: bigint, to: bigint) {
    const present = new Set(this.history.archive.segments.keys());
    return { lineage: this.lineage, from, to, present, segmentBytes: this.server.segmentBytes };
  }

  lastTime(first: bigint, last: bigint): Promise<LastTime | undefined> {
    const { history, lineage } = this;
    const where = { history, lineage, segmentBytes: this.server.segmentBytes, first, last };
    return lastTimeBefore(this.ctx, this.provider, where, this.control);
  }

  async describe(gap: WalGap, first: bigint, usable: readonly BackupSummary[]): Promise<WindowGap> {
    const before = gap.lastPresent && (await this.lastTime(first, gap.lastPresent.number));
    const next = usable.find((backup) => this.numberOf(backup.archiveStart) > gap.lastMissing.number);
    return {
      segments: describeGap(gap, this.server.segmentBytes),
      before: before?.at,
      beforeExact: before?.exact ?? false,
      after: next && formatInstant(restorableFrom(next)),
    };
  }
}
