import { chmod, chown, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makeServerDirectory, runProgram, serverUser } from '../cluster';
import type { PartStatus, StackPart, StartControl } from './part';
import { pgBackRestConfig, type RepositorySettings } from './pgbackrest-config.pure';

export interface RepositoryOptions extends RepositorySettings {
  readonly program: string;
  readonly configFile: string;
}

const stanzaList = z.array(
  z.object({
    name: z.string(),
    status: z.object({ code: z.number(), message: z.string() }),
    backup: z.array(z.object({ label: z.string(), error: z.boolean().nullish() })),
  }),
);

/** An archive that does not answer for a minute is broken; a first backup of an empty cluster takes seconds. */
const COMMAND_LIMIT_MS = 10 * 60_000;

/** Writes the configuration and the directories; needed before the application's server starts to archive. */
export async function writeRepositoryConfig(options: RepositoryOptions): Promise<void> {
  for (const directory of [
    dirname(options.configFile),
    options.repository,
    options.logs,
    options.locks,
    options.spool,
  ])
    await makeServerDirectory(directory);
  const user = await serverUser();
  const half = `${options.configFile}.new`;
  await writeFile(half, pgBackRestConfig(options), { mode: 0o600 });
  await chmod(half, 0o600);
  await chown(half, user.uid, user.gid);
  await rename(half, options.configFile);
}

/** The repository of the application's cluster, with its stanza and at least one full backup. */
export function backupRepository(options: RepositoryOptions): StackPart {
  return {
    name: 'backup-repository',
    async start(control: StartControl) {
      await writeRepositoryConfig(options);
      await pgBackRest(options, ['stanza-create'], control);
      if ((await backups(options)).length > 0) return;
      control.progress('first full backup');
      await pgBackRest(options, ['--type=full', 'backup'], control);
    },
    // No process of its own: the application's server calls it.
    stop: async () => undefined,
    async status(): Promise<PartStatus> {
      const labels = await backups(options).catch((error: Error) => error);
      if (labels instanceof Error) return { kind: 'stopped', reason: labels.message };
      return labels.length === 0
        ? { kind: 'stopped', reason: 'no backup yet' }
        : {
            kind: 'running',
            where: `${options.repository} (${labels.length} backups, latest ${labels.at(-1)})`,
          };
    },
  };
}

async function backups(options: RepositoryOptions): Promise<string[]> {
  const { stdout } = await pgBackRest(options, ['--output=json', 'info']);
  const stanza = stanzaList.parse(JSON.parse(stdout)).find(({ name }) => name === options.stanza);
  return (stanza?.backup ?? []).filter(({ error }) => !error).map(({ label }) => label);
}

function pgBackRest(options: RepositoryOptions, args: readonly string[], control?: StartControl) {
  return runProgram(
    options.program,
    [`--config=${options.configFile}`, `--stanza=${options.stanza}`, ...args],
    { asServerUser: true, signal: control?.signal, timeoutMs: COMMAND_LIMIT_MS },
  );
}
