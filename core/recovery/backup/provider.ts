import type { StepControl } from '../engine';
import type { ResolvedTarget } from '../types';
import type { HistoryEntry } from './timeline.pure';

export type BackupKind = 'full' | 'differential' | 'incremental';

export interface BackupSummary {
  readonly label: string;
  readonly kind: BackupKind;
  readonly systemId: string;
  /** Segments with the backup's begin and end records. */
  readonly archiveStart: string;
  readonly archiveStop: string;
  readonly lsnStart: string;
  readonly lsnStop: string;
  /** Seconds since the epoch, by the clock of the host that made it. */
  readonly startedAt: number;
  readonly stoppedAt: number;
  /** Bytes of the cluster, and of what this backup added to the repository. */
  readonly clusterBytes: number;
  readonly repositoryBytes: number;
  /** Page checksums did not match while it was made. */
  readonly flawed: boolean;
  /** Backups whose files it uses. */
  readonly references: readonly string[];
  /** ID of the recovery point it was made for. */
  readonly pointId?: string;
}

export interface BackupRequest {
  readonly kind: BackupKind;
  /** The recovery point's; written into the repository with the backup. */
  readonly pointId: string;
}

/** What the repository holds of one cluster (one system identifier); a stanza's history may have several. */
export interface RepositoryContent {
  /** System identifiers the stanza knows, newest last. */
  readonly knownSystems: readonly string[];
  /** Oldest first. */
  readonly backups: readonly BackupSummary[];
}

/** One WAL segment in the repository. */
export interface ArchivedSegment {
  readonly bytes: number;
  /** SHA-1 of its content when it was archived, hex; undefined where the repository keeps none. */
  readonly checksum?: string;
  /** When it was written into the repository, seconds since the epoch: no commit in it is later. */
  readonly archivedAt: number;
  /** Stored more than once with different content: the repository itself cannot tell which one is right. */
  readonly contradictory: boolean;
}

export interface ArchiveListing {
  readonly segments: ReadonlyMap<string, ArchivedSegment>;
  readonly timelinesWithHistory: ReadonlySet<number>;
}

/** Where a restore puts things. Every path lies in a directory that the restore made itself. */
export interface RestorePlace {
  readonly dataDirectory: string;
  readonly tablespaceDirectory: string;
  readonly lockDirectory: string;
  readonly logDirectory: string;
  readonly spoolDirectory: string;
}

export interface RestoreRequest {
  readonly target: ResolvedTarget;
  readonly place: RestorePlace;
  /** Go on with a restore that this program began there before. */
  readonly resume: boolean;
}

export type RepositoryFileProblem = { readonly file: string; readonly problem: 'missing' | 'wrong size' };

/**
 * A backup repository. The first implementation is pgBackRest; nothing outside this folder knows which one it is.
 * Every method fails with BACKUP_DAMAGED, BACKUP_COMMAND_FAILED or BACKUP_OUTPUT_UNEXPECTED.
 */
export interface BackupProvider {
  /** Name of the repository for messages, such as `stanza 'main'`. */
  readonly name: string;
  content(systemId: string, control?: StepControl): Promise<RepositoryContent>;
  listArchive(systemId: string, control?: StepControl): Promise<ArchiveListing>;
  /** Empty for timeline 1. */
  history(systemId: string, timeline: number, control?: StepControl): Promise<HistoryEntry[]>;
  /** Copies one segment to `destination`, decrypted and decompressed; its content is not compared with its checksum. */
  fetchSegment(name: string, destination: string, control?: StepControl): Promise<void>;
  /** Compares the backup's manifest with the files that are there, without reading their content. */
  checkFiles(
    label: string,
    control?: StepControl,
  ): Promise<{ files: number; problems: RepositoryFileProblem[] }>;
  /**
   * Makes a backup for a recovery point, unless one was made under this ID by an earlier try.
   *
   * @returns the backup's label.
   */
  backup(request: BackupRequest, control: StepControl): Promise<string>;
  restore(request: RestoreRequest, control: StepControl): Promise<void>;
  /** The shell command with which the restored server fetches WAL. `segments` is how many it will need. */
  restoreCommand(place: RestorePlace, segments: number): Promise<string>;
}
