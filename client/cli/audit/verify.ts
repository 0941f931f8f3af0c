import { readFile, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../../config';
import {
  type AuditVerification,
  type DroppedPrefix,
  type ExportVerification,
  readVerifierKey,
  type Violation,
  verifyExport,
} from '../../../core/audit';
import { InvalidInputError, whenMissing } from '../../../core/errors';
import { Output } from '../output';
import { withCommonOptions } from '../session';
import { auditReader, type KeyOptions, verifierKeys, withKey, withPlatform } from './options';
import { readingProgress } from './reading-progress';

interface VerifyOptions extends KeyOptions {
  readonly tenant?: string;
  readonly since?: string;
  readonly directory?: string;
  readonly against?: readonly string[];
  readonly keep?: string;
}

/** More than so many findings are counted, not listed: one damage can have many. */
const SHOWN = 50;

/** `chronawflow audit verify` */
export function registerVerify(audit: Command): void {
  withKey(withCommonOptions(audit.command('verify')))
    .description(
      'prove that nothing sealed was changed, removed, reordered or put in; exit code 1 when something was',
    )
    .option('--tenant <key>', 'only this tenant’s log, beside the platform’s')
    .option(
      '--since <time>',
      'read only what was sealed from then on; what was before by its hashes alone',
      since,
    )
    .option('--against <file...>', 'checkpoints that you kept: the log must still hold what they sign')
    .option('--keep <file>', 'write the newest checkpoint of the platform log there when nothing is wrong')
    .option('--directory <path>', 'an exported directory, without any database')
    .addHelpText(
      'after',
      `
A log that was set back or written anew as a whole can only be told by a checkpoint that was kept where the administrators
of the database cannot write: keep one each time, and give it the next time.

Examples:
  $ chronawflow audit verify --against last.checkpoint --keep last.checkpoint
  $ chronawflow audit verify --directory ./evidence --key log.pub`,
    )
    .action(async (options: VerifyOptions) => {
      const out = new Output(options.json ?? false);
      const earlier = await Promise.all((options.against ?? []).map(readCheckpoint));
      const found =
        options.directory === undefined
          ? await inDatabase(options, earlier, out)
          : await inDirectory(options.directory, options, earlier, out);
      out.result(found, () => verificationPage(found));
      if (found.violations.length > 0) process.exitCode = 1;
      else if (options.keep !== undefined && found.checkpoint !== undefined)
        await writeFile(options.keep, found.checkpoint);
    });
}

function since(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('write a time like 2026-11-01 or 2026-11-01T03:00:00Z');
  return time.toISOString();
}

function inDatabase(
  options: VerifyOptions,
  earlier: readonly string[],
  out: Output,
): Promise<AuditVerification> {
  return withPlatform(options, async (platform, config) => {
    return auditReader(platform, config).verify(await verifierKeys(options, config), {
      tenant: options.tenant,
      since: options.since,
      earlier,
      witnesses: await Promise.all(config.audit.witnesses.map(({ publicKey }) => readVerifierKey(publicKey))),
      progress: readingProgress(out, 'verified'),
    });
  });
}

async function inDirectory(
  directory: string,
  options: VerifyOptions,
  earlier: readonly string[],
  out: Output,
): Promise<ExportVerification> {
  if (options.since !== undefined)
    throw new InvalidInputError('--since needs the database: a directory does not say when what was sealed.');
  const config = options.key === undefined ? loadConfig({ configFile: options.config }) : undefined;
  return verifyExport(directory, await verifierKeys(options, config), {
    earlier,
    progress: readingProgress(out, 'verified'),
  });
}

async function readCheckpoint(file: string): Promise<string> {
  const note = await readFile(file, 'utf8').catch(whenMissing(undefined));
  if (note === undefined)
    throw new InvalidInputError(`There is no file ${file}.`, { hint: 'Name a kept checkpoint.' });
  return note;
}

function verificationPage(found: AuditVerification | ExportVerification): string[] {
  const { violations, entries, logs } = found;
  const read = `${entries.toLocaleString('en')} events in ${logs} logs`;
  return [
    ...violations.slice(0, SHOWN).map(describe),
    ...(violations.length > SHOWN ? [`… and ${violations.length - SHOWN} more; --json has all`] : []),
    violations.length === 0
      ? `Verified: ${read}; nothing was changed, removed, reordered or put in.`
      : `${violations.length} violation${violations.length === 1 ? '' : 's'} in ${read}.`,
    ...found.dropped.map(droppedLine),
    ...unsealedLines(found),
    ...checkpointLines(found.checkpoint),
    ...cosignedLines(found),
  ];
}

function cosignedLines(found: AuditVerification | ExportVerification): string[] {
  if (!('cosigned' in found)) return [];
  return found.cosigned.map(({ witness, size }) => `Cosigned by ${witness} up to ${size} entries.`);
}

function checkpointLines(note: string | undefined): string[] {
  const [, size, root] = note?.split('\n') ?? [];
  return size === undefined ? [] : [`Platform checkpoint: ${size} entries, root ${root}.`];
}

function droppedLine({ origin, entries, by, at, reason }: DroppedPrefix): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `No longer there: the first ${entries.toLocaleString('en')} entries of ${origin}, dropped by retention, as ${by} decided at ${at}${why}; their hashes are verified.`;
}

function describe({ origin, problem }: Violation): string {
  return `✗ ${origin === '' ? 'database' : origin}: ${problem}`;
}

function unsealedLines(found: AuditVerification | ExportVerification): string[] {
  if (!('unsealed' in found) || found.unsealed.events === 0) return [];
  const { events, oldestAt } = found.unsealed;
  return [
    `Not sealed yet, so not proved: ${events} event${events === 1 ? '' : 's'}, the oldest of ${oldestAt}.`,
  ];
}
