import { z } from 'zod';
import type { BackupKind, BackupSummary, RepositoryContent } from '../provider';

/** Output of `pgbackrest info --output=json`, the parts that are used. Source: pgBackRest user guide and 2.45's output. */
const stanzaSchema = z.object({
  name: z.string(),
  status: z.object({ code: z.number(), message: z.string() }),
  db: z.array(
    z.object({ id: z.number(), 'repo-key': z.number(), 'system-id': z.string(), version: z.string() }),
  ),
  repo: z.array(z.object({ key: z.number(), status: z.object({ code: z.number(), message: z.string() }) })),
  archive: z.array(
    z.object({ id: z.string(), database: z.object({ id: z.number(), 'repo-key': z.number() }) }),
  ),
  backup: z.array(
    z.object({
      label: z.string(),
      type: z.enum(['full', 'diff', 'incr']),
      archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
      lsn: z.object({ start: z.string(), stop: z.string() }).optional(),
      timestamp: z.object({ start: z.number(), stop: z.number() }),
      database: z.object({ id: z.number(), 'repo-key': z.number() }),
      info: z.object({ size: z.number(), repository: z.object({ delta: z.number().optional() }) }),
      error: z.boolean().nullish(),
      reference: z.array(z.string()).nullable(),
      annotation: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

export type StanzaInfo = z.output<typeof stanzaSchema>;

/** An archive directory of a stanza, such as `15-1`, in one of its repositories. */
export interface ArchiveDirectory {
  readonly repository: number;
  readonly id: string;
}

/** Key of the annotation that ties a backup to its recovery point. */
export const POINT_ANNOTATION = 'chronawflow-point';

const KINDS: Readonly<Record<'full' | 'diff' | 'incr', BackupKind>> = {
  full: 'full',
  diff: 'differential',
  incr: 'incremental',
};

/** `undefined` when the stanza is not in the output. Throws what zod or JSON throw when it is not understood. */
export function parseInfo(json: string, stanza: string): StanzaInfo | undefined {
  // System identifiers have 64 bits; JSON.parse would round them.
  const text = json.replaceAll(/("system-id"\s*:\s*)(\d+)/g, '$1"$2"');
  return z
    .array(stanzaSchema)
    .parse(JSON.parse(text))
    .find((candidate) => candidate.name === stanza);
}

/** The backups of one cluster, oldest first, without those that were made offline and so cannot be rolled forward. */
export function contentOf(info: StanzaInfo, systemId: string): RepositoryContent {
  const backups = info.backup
    .filter((backup) => systemOf(info, backup.database) === systemId)
    .map((backup) => summaryOf(backup, systemId))
    .filter((backup) => backup !== undefined)
    .sort((a, b) => a.stoppedAt - b.stoppedAt);
  return { knownSystems: [...new Set(info.db.map((db) => db['system-id']))], backups };
}

/** Every directory with WAL of one cluster; more than one where the stanza has several repositories. */
export function archivesOf(info: StanzaInfo, systemId: string): ArchiveDirectory[] {
  return info.archive
    .filter((archive) => systemOf(info, archive.database) === systemId)
    .map((archive) => ({ repository: archive.database['repo-key'], id: archive.id }));
}

export function backupOfPoint(info: StanzaInfo, pointId: string): string | undefined {
  return info.backup.find((backup) => backup.annotation?.[POINT_ANNOTATION] === pointId)?.label;
}

export function repositoryOf(info: StanzaInfo, label: string): number | undefined {
  return info.backup.find((backup) => backup.label === label)?.database['repo-key'];
}

function systemOf(info: StanzaInfo, database: { id: number; 'repo-key': number }): string | undefined {
  return info.db.find((db) => db.id === database.id && db['repo-key'] === database['repo-key'])?.[
    'system-id'
  ];
}

function summaryOf(backup: StanzaInfo['backup'][number], systemId: string): BackupSummary | undefined {
  const { archive, lsn } = backup;
  if (archive.start === null || archive.stop === null || lsn === undefined) return undefined;
  return {
    label: backup.label,
    kind: KINDS[backup.type],
    systemId,
    archiveStart: archive.start,
    archiveStop: archive.stop,
    lsnStart: lsn.start,
    lsnStop: lsn.stop,
    startedAt: backup.timestamp.start,
    stoppedAt: backup.timestamp.stop,
    clusterBytes: backup.info.size,
    repositoryBytes: backup.info.repository.delta ?? 0,
    flawed: backup.error === true,
    references: backup.reference ?? [],
    pointId: backup.annotation?.[POINT_ANNOTATION],
  };
}
