import type { BackupConfig } from '../../../../config';
import { findPgBackRest, runProgram } from '../../../cluster';
import type { StepControl } from '../../engine';
import { BackupCommandFailedError } from '../../errors/backup-command-failed-error';
import { BackupOutputUnexpectedError } from '../../errors/backup-output-unexpected-error';
import type { BackupKind, BackupProvider, RestorePlace, RestoreRequest } from '../provider';
import { historyFileName, parseHistory } from '../timeline.pure';
import { look, pgbackrest, stanzaArguments } from './command';
import {
  type ArchiveDirectory,
  archivesOf,
  backupOfPoint,
  contentOf,
  POINT_ANNOTATION,
  parseInfo,
  repositoryOf,
  type StanzaInfo,
} from './info.pure';
import { archiveListing, below, type Listing, parseListing } from './listing.pure';
import { compareFiles, manifestFiles } from './manifest.pure';
import {
  archiveGetArguments,
  backedUpPercent,
  restoreArguments,
  restoredPercent,
  shellWord,
} from './restore-arguments.pure';

const BACKUP_TYPES: Readonly<Record<BackupKind, string>> = {
  full: 'full',
  differential: 'diff',
  incremental: 'incr',
};

/** pgBackRest, through its command line; needs its configuration file and access to the repository on this host. */
export function pgbackrestProvider(config: BackupConfig): BackupProvider {
  let reading: Promise<StanzaInfo> | undefined;

  /** Whoever asks while an answer is on its way gets the same one. */
  function info(control?: StepControl): Promise<StanzaInfo> {
    reading ??= readInfo(control).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function readInfo(control?: StepControl): Promise<StanzaInfo> {
    const json = await look(config, 'info', ['--output=json'], control);
    const found = understood('info', () => parseInfo(json, config.stanza));
    if (found === undefined || found.status.code === 1) {
      throw new BackupCommandFailedError(
        'info',
        0,
        `there is no stanza '${config.stanza}' in the repository`,
      );
    }
    return found;
  }

  async function list(path: string, repository: number, control?: StepControl): Promise<Listing> {
    const json = await look(
      config,
      'repo-ls',
      ['--output=json', '--recurse', `--repo=${repository}`, path],
      control,
    );
    return understood('repo-ls', () => parseListing(json));
  }

  const archivePath = (directory: ArchiveDirectory): string => `archive/${config.stanza}/${directory.id}`;

  return {
    name: `stanza '${config.stanza}'`,

    async content(systemId, control) {
      return contentOf(await info(control), systemId);
    },

    async listArchive(systemId, control) {
      const directories = archivesOf(await info(control), systemId);
      return archiveListing(
        await Promise.all(
          directories.map((directory) => list(archivePath(directory), directory.repository, control)),
        ),
      );
    },

    async history(systemId, timeline, control) {
      if (timeline === 1) return [];
      const file = historyFileName(timeline);
      for (const directory of archivesOf(await info(control), systemId)) {
        const listing = await list(archivePath(directory), directory.repository, control);
        if (listing[file] === undefined) continue;
        const path = `${archivePath(directory)}/${file}`;
        const text = await look(config, 'repo-get', [`--repo=${directory.repository}`, path], control);
        return understood('repo-get', () => parseHistory(text));
      }
      throw new BackupCommandFailedError('repo-get', 0, `${file} is not in the repository`);
    },

    async fetchSegment(name, destination, control) {
      await look(config, 'archive-get', [name, destination], control);
    },

    async checkFiles(label, control) {
      const repository = repositoryOf(await info(control), label);
      if (repository === undefined) return { files: 0, problems: [{ file: label, problem: 'missing' }] };
      const backups = `backup/${config.stanza}`;
      const path = `${backups}/${label}/backup.manifest`;
      const manifest = await look(config, 'repo-get', [`--repo=${repository}`, path], control);
      const files = understood('repo-get', () => manifestFiles(manifest, label));
      const stored: Listing = {};
      // Only the backups that this one builds on: a repository may hold many times as many files.
      for (const owner of new Set(files.map(({ path: file }) => file.slice(0, file.indexOf('/'))))) {
        Object.assign(stored, below(owner, await list(`${backups}/${owner}`, repository, control)));
      }
      return { files: files.length, problems: compareFiles(files, stored) };
    },

    async backup({ kind, pointId }, control) {
      const annotates = await canAnnotate(config, control);
      let label = annotates ? backupOfPoint(await info(control), pointId) : undefined;
      if (label !== undefined) return label;
      await pgbackrest(
        config,
        'backup',
        [
          `--type=${BACKUP_TYPES[kind]}`,
          '--start-fast',
          '--log-level-console=detail',
          ...(annotates ? [`--annotation=${POINT_ANNOTATION}=${pointId}`] : []),
        ],
        {
          control,
          percentOf: backedUpPercent,
          onLine: (line) => {
            label ??= /new backup label = (\S+)/.exec(line)?.[1];
          },
        },
      );
      if (label === undefined)
        throw new BackupOutputUnexpectedError('backup', 'it does not name the new backup');
      return label;
    },

    async restore(request: RestoreRequest, control) {
      await pgbackrest(config, 'restore', [...restoreArguments(request), '--log-level-console=detail'], {
        control,
        percentOf: restoredPercent,
      });
    },

    async restoreCommand(place: RestorePlace, segments: number) {
      const binary = await findPgBackRest(config.binary);
      const args = archiveGetArguments(stanzaArguments(config), place, segments);
      return `${[binary, ...args].map(shellWord).join(' ')} %f "%p"`;
    },
  };
}

/** Without annotations (before 2.41) a backup whose recording was interrupted is made again. */
async function canAnnotate(config: BackupConfig, control: StepControl): Promise<boolean> {
  const { stdout } = await runProgram(await findPgBackRest(config.binary), ['version'], {
    signal: control.signal,
  });
  const version = /(\d+)\.(\d+)/.exec(stdout);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  return major > 2 || (major === 2 && minor >= 41);
}

function understood<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    // zod's message lists paths and types, never the values.
    throw new BackupOutputUnexpectedError(
      command,
      error instanceof Error ? error.message : String(error),
      error,
    );
  }
}
