import { bothEnded } from '../both-ended';
import type { StepControl } from '../engine';
import type { ArchiveListing, BackupProvider, RepositoryContent } from './provider';
import { type HistoryEntry, type Lineage, lineageOf } from './timeline.pure';

/** All that the repository knows about one cluster, read once per step. */
export interface ClusterHistory {
  readonly content: RepositoryContent;
  readonly archive: ArchiveListing;
  readonly histories: ReadonlyMap<number, readonly HistoryEntry[]>;
}

export async function readClusterHistory(
  provider: BackupProvider,
  systemId: string,
  control: StepControl,
  /** The listing of its archive, when somebody reads it already. */
  listing: Promise<ArchiveListing> = provider.listArchive(systemId, control),
): Promise<ClusterHistory> {
  const [content, archive] = await bothEnded(provider.content(systemId, control), listing);
  const histories = new Map<number, readonly HistoryEntry[]>();
  for (const timeline of archive.timelinesWithHistory) {
    histories.set(timeline, await provider.history(systemId, timeline, control));
  }
  return { content, archive, histories };
}

/** undefined when the repository has no history file for a timeline above 1: then nobody can say how it came about. */
export function lineageIn(history: ClusterHistory, timeline: number): Lineage | undefined {
  if (timeline === 1) return lineageOf(1, []);
  const entries = history.histories.get(timeline);
  return entries === undefined ? undefined : lineageOf(timeline, entries);
}
