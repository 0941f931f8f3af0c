import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { loadConfig } from '../../../config';
import { type ExportedLogs, formatReceipt, readVerifierKey, verifyReceipt } from '../../../core/audit';
import { erasureReceiptSchema, type ProvedErasure, verifyErasureReceipt } from '../../../core/erasure';
import { InvalidInputError, whenMissing } from '../../../core/errors';
import { Output } from '../output';
import { withCommonOptions } from '../session';
import { auditReader, type KeyOptions, verifierKeys, withKey, withPlatform } from './options';
import { readingProgress } from './reading-progress';

interface ExportCommandOptions extends KeyOptions {
  readonly out: string;
  readonly tenant?: string;
  readonly writeOnce?: boolean;
  readonly immutable?: boolean;
}

/** `chronawflow audit export|prove|verify-receipt` */
export function registerProve(audit: Command): void {
  withKey(withCommonOptions(audit.command('export')))
    .description('write the sealed logs into a directory as C2SP tiles, which other tools read')
    .requiredOption('--out <directory>', 'an empty directory, or a new one')
    .option(
      '--write-once',
      'add to what is in the directory: nothing there is written over, and files are read-only',
    )
    .option(
      '--immutable',
      'with --write-once: make what is added immutable (chattr +i), where that is possible',
    )
    .option('--tenant <key>', 'only this tenant’s log, beside the platform’s')
    .addHelpText(
      'after',
      `
Examples:
  $ chronawflow audit export --tenant acme --out ./evidence
  $ chronawflow audit export --write-once --out /mnt/worm/audit`,
    )
    .action(async (options: ExportCommandOptions) => {
      const out = new Output(options.json ?? false);
      const { tenant, writeOnce, immutable } = options;
      if (immutable === true && writeOnce !== true)
        throw new InvalidInputError('--immutable is for --write-once alone.', {
          hint: 'Give both, or neither.',
        });
      const written = await withPlatform(options, async (platform, config) =>
        auditReader(platform, config).export(await verifierKeys(options, config), options.out, {
          tenant,
          writeOnce,
          immutable,
          progress: readingProgress(out, 'exported'),
        }),
      );
      out.result(written, () => [
        `Exported ${written.entries.toLocaleString('en')} events in ${written.logs} logs to ${written.directory}.`,
        ...addedLines(written, immutable === true),
        `Verify it anywhere: chronawflow audit verify --directory ${written.directory} --key ${written.directory}/log.pub`,
      ]);
    });

  withCommonOptions(audit.command('prove'))
    .description('write a receipt that proves one event without database or network')
    .requiredOption('--event <id>', 'its ID in the audit log')
    .option('--out <file>', 'where to (default: standard output)')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow audit prove --event restore/acme/1/019ac/12/ok --out receipt.json',
    )
    .action(async (options: KeyOptions & { readonly event: string; readonly out?: string }) => {
      const receipt = await withPlatform(options, async (platform, config) => {
        return auditReader(platform, config).prove(options.event);
      });
      const text = formatReceipt(receipt);
      if (options.out === undefined)
        process.stdout.write(options.json ? `${JSON.stringify(JSON.parse(text))}\n` : text);
      else {
        await writeFile(options.out, text);
        new Output(options.json ?? false).result({ receipt: options.out }, () => [`Receipt: ${options.out}`]);
      }
    });

  withKey(withCommonOptions(audit.command('verify-receipt')))
    .description('check a receipt: no database, no network')
    .argument('<file>', 'the receipt')
    .option('--cosigner <key...>', 'public keys of witnesses, or their files')
    .option('--subject <name>', 'of an erasure’s receipt: check that it is about this person')
    .addHelpText('after', '\nExample:\n  $ chronawflow audit verify-receipt receipt.json --key log.pub')
    .action(
      async (
        file: string,
        options: KeyOptions & { readonly cosigner?: readonly string[]; readonly subject?: string },
      ) => {
        const config = options.key === undefined ? loadConfig({ configFile: options.config }) : undefined;
        const key = await verifierKeys(options, config);
        const cosigners = await Promise.all((options.cosigner ?? []).map(readVerifierKey));
        const given = await readJson(file);
        if (erasureReceiptSchema.safeParse(given).success) {
          const erasure = verifyErasureReceipt(given, key, cosigners, options.subject);
          new Output(options.json ?? false).result(erasure, () => erasurePage(erasure, options.subject));
          return;
        }
        const proved = verifyReceipt(given, key, cosigners);
        new Output(options.json ?? false).result(proved, () => [
          `Proved: entry ${proved.index} of log ${proved.origin}, under the platform’s checkpoint of ${proved.platformSize} entries.`,
          `Signed by ${proved.signedBy.join(' and ')}.`,
          JSON.stringify(proved.event, null, 2),
        ]);
      },
    );
}

function addedLines({ added, notImmutable }: ExportedLogs, immutable: boolean): string[] {
  if (added === undefined) return [];
  const state = immutable && notImmutable === undefined ? 'immutable' : 'read-only';
  return [
    `${added.toLocaleString('en')} files were added, ${state}; nothing was written over.`,
    ...(notImmutable === undefined ? [] : [`They could not be made immutable: ${notImmutable}`]),
  ];
}

function erasurePage(
  { tenant, at, backupsExpireOn, signedBy }: ProvedErasure,
  subject: string | undefined,
): string[] {
  const whom =
    subject === undefined ? 'somebody (name them with --subject to see whether it is they)' : subject;
  return [
    `Proved: the data of ${whom} in ${tenant} was erased on ${at}.`,
    `No backup holds it from ${backupsExpireOn} on. Signed by ${signedBy.join(' and ')}.`,
  ];
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(whenMissing(undefined));
  if (text === undefined)
    throw new InvalidInputError(`There is no file ${file}.`, { hint: 'Name the receipt.' });
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInputError(`${file} is no JSON, so no receipt.`, {
      hint: 'chronawflow audit prove --event ID',
    });
  }
}
