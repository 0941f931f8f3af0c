import { z } from 'zod';
import type { BackupConfig } from '../../config';
import { findPgBackRest, runProgram } from '../cluster';
import { broken, type Check, type Finding, ok } from './finding';

const info = z.array(
  z.object({
    name: z.string(),
    status: z.object({ code: z.number(), message: z.string() }),
    backup: z.array(
      z.object({
        label: z.string(),
        error: z.boolean().nullish(),
        timestamp: z.object({ stop: z.number() }),
      }),
    ),
  }),
);

export type StanzaInfo = z.output<typeof info>[number];

export function checkBackup(config: BackupConfig): Check {
  const fix = `As the server's user: pgbackrest --config=${config.configFile} --stanza=${config.stanza} stanza-create`;
  return {
    name: 'backup repository',
    fallbackFix: fix,
    look: async () => {
      const program = await findPgBackRest(config.binary);
      const { stdout } = await runProgram(
        program,
        [`--config=${config.configFile}`, `--stanza=${config.stanza}`, '--output=json', 'info'],
        { asServerUser: true, timeoutMs: 60_000 },
      );
      const stanza = info.parse(JSON.parse(stdout)).find(({ name }) => name === config.stanza);
      return judgeStanza(config, stanza, Date.now());
    },
  };
}

export function judgeStanza(config: BackupConfig, stanza: StanzaInfo | undefined, now: number): Finding[] {
  const name = 'backup repository';
  const run = `As the server's user: pgbackrest --config=${config.configFile} --stanza=${config.stanza}`;
  if (stanza === undefined) return [broken(name, `no stanza ${config.stanza}`, `${run} stanza-create`)];
  const complete = stanza.backup.filter(({ error }) => !error);
  const last = complete.at(-1);
  // 2 is "no valid backups": its mending is a backup, that of all others the stanza.
  if (stanza.status.code === 2 || (stanza.status.code === 0 && last === undefined))
    return [broken(name, `stanza ${config.stanza} has no backup`, `${run} --type=full backup`)];
  if (stanza.status.code !== 0 || last === undefined)
    return [broken(name, `stanza ${config.stanza}: ${stanza.status.message}`, `${run} stanza-create`)];
  const hours = Math.floor((now / 1000 - last.timestamp.stop) / 3600);
  return [ok(name, `${complete.length} backups, latest ${last.label} (${hours} h ago)`)];
}
