import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { loadConfig } from '../../../config';
import {
  exportLogs,
  formatReceipt,
  proveEvent,
  ReadAudit,
  readVerifierKey,
  verifyReceipt,
} from '../../../core/audit';
import { erasureReceiptSchema, type ProvedErasure, verifyErasureReceipt } from '../../../core/erasure';
import { InvalidInputError, whenMissing } from '../../../core/errors';
import { currentOperator } from '../../operator';
import { Output } from '../output';
import { withCommonOptions } from '../session';
import { type KeyOptions, verifierKeys, withKey, withPlatform } from './options';
import { readingProgress } from './reading-progress';

/** `chronawflow audit export|prove|verify-receipt` */
export function registerProve(audit: Command): void {
  withKey(withCommonOptions(audit.command('export')))
    .description('write the sealed logs into a directory as C2SP tiles, which other tools read')
    .requiredOption('--out <directory>', 'an empty directory, or a new one')
    .option('--tenant <key>', 'only this tenant’s log, beside the platform’s')
    .addHelpText('after', '\nExample:\n  $ chronawflow audit export --tenant acme --out ./evidence')
    .action(async (options: KeyOptions & { readonly out: string; readonly tenant?: string }) => {
      const out = new Output(options.json ?? false);
      const { tenant } = options;
      const written = await withPlatform(options, async (platform, config) => {
        await new ReadAudit(config.audit.reads, platform).record('log', {
          actor: currentOperator(),
          action: 'audit.export',
          ...(tenant === undefined ? {} : { tenant }),
        });
        return exportLogs(platform, await verifierKeys(options, config), options.out, {
          tenant,
          progress: readingProgress(out, 'exported'),
        });
      });
      out.result(written, () => [
        `Exported ${written.entries.toLocaleString('en')} events in ${written.logs} logs to ${written.directory}.`,
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
        const proved = await proveEvent(platform, options.event);
        await new ReadAudit(config.audit.reads, platform).record('log', {
          actor: currentOperator(),
          action: 'audit.prove',
          object: options.event,
        });
        return proved;
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
