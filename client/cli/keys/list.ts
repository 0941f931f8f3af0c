import type { Command } from 'commander';
import { type OwnerKeys, PLATFORM, writeKeyFile } from '../../../core/payload-codec';
import { Output } from '../output';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

/** `chronawflow keys list|keygen` */
export function registerKeyList(keys: Command): void {
  withCommonOptions(keys.command('list'))
    .description('whose keys there are, and which key-encryption keys are still needed')
    .option('--tenant <key>', 'only this tenant’s')
    .addHelpText('after', '\nExample:\n  $ chronawflow keys list --tenant acme')
    .action(async ({ tenant, ...options }: CommonOptions & { readonly tenant?: string }) =>
      inSession(options, async ({ cf, out }) => {
        const owners = await cf.keys.list(tenant);
        out.result({ owners }, () => (owners.length === 0 ? ['No keys yet.'] : owners.map(line)));
      }),
    );

  keys
    .command('keygen')
    .description('make a key-encryption key; it is written to a file and never shown')
    .requiredOption('--out <file>', 'where to; never overwritten')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ chronawflow keys keygen --out /etc/chronawflow/payloads-2026.key')
    .action(async ({ out: file, json }: { readonly out: string; readonly json?: boolean }) => {
      await writeKeyFile(file);
      new Output(json ?? false).result({ file }, () => [
        `The key-encryption key is in ${file}. Keep a copy apart from every database and its backups: without it nothing`,
        'that was encrypted under it can be read. Name it first under payloads.keyEncryptionKeys.',
      ]);
    });
}

function line({ owner, state, since, keys, newest, wrappedBy }: OwnerKeys): string {
  const whose = owner === PLATFORM ? '(platform)' : owner;
  if (state === 'destroyed') return `${whose}  destroyed ${since}`;
  const count = `${keys} ${keys === 1 ? 'key' : 'keys'}`;
  return `${whose}  ${state}  ${count}, newest ${newest ?? 'none'}, wrapped by ${wrappedBy.join(', ') || 'none'}`;
}
