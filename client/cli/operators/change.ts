import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { whenMissing } from '../../../core/errors';
import { type Grant, ROLES } from '../../../core/operators';
import { confirm } from '../confirm';
import { type CommonOptions, withCommonOptions } from '../session';
import { inRegistry } from './session';

interface AddOptions extends CommonOptions {
  readonly key: string;
  readonly role: readonly Grant[];
}

interface RevokeOptions extends CommonOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

interface RotateOptions extends CommonOptions {
  readonly key: string;
  readonly overlap?: string;
}

interface ReAnchorOptions extends CommonOptions {
  readonly reason: string;
  readonly yes?: boolean;
}

/** `chronawflow operators add|revoke|rotate|re-anchor` */
export function registerChange(operators: Command): void {
  withCommonOptions(operators.command('add'))
    .description('add an operator, or give one other roles; an administrator signs it')
    .argument('<name>', 'letters, digits and . _ @ -')
    .requiredOption('--key <key>', 'the public key, or the file that has it')
    .requiredOption(
      '--role <role>',
      `${ROLES.join(', ')}; with :tenant,tenant for these tenants only; may be repeated`,
      grant,
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow operators add grace --key grace.pub --role approver --role requester:acme,birch',
    )
    .action(async (name: string, options: AddOptions) =>
      inRegistry(options, async (registry, out) => {
        await registry.add({ name, publicKey: await publicKey(options.key), grants: options.role });
        out.result({ added: name }, () => [`${name} is an operator.`]);
      }),
    );

  withCommonOptions(operators.command('revoke'))
    .description('from now on nothing that the operator has signed is good any more; for ever')
    .argument('<name>', 'as `operators list` shows it')
    .option('--reason <text>', 'for the audit log')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  $ chronawflow operators revoke grace --reason "laptop stolen" --yes')
    .action(async (name: string, { reason, yes, ...options }: RevokeOptions) =>
      inRegistry(options, async (registry, out) => {
        await confirm(`Revoke ${name} for ever?`, `The revocation of ${name}`, yes);
        await registry.revoke(name, reason);
        out.result({ revoked: name }, () => [`${name} is revoked.`]);
      }),
    );

  withCommonOptions(operators.command('rotate'))
    .description('give an operator another key; your own you sign with the old one')
    .argument('[name]', 'default: whose key signs')
    .requiredOption('--key <key>', 'the new public key, or the file that has it')
    .option('--overlap <time>', 'how much longer the old key is good, such as 2d (default: not at all)')
    .addHelpText('after', '\nExample:\n  $ chronawflow operators rotate --key new.pub --overlap 1d')
    .action(async (name: string | undefined, options: RotateOptions) =>
      inRegistry(options, async (registry, out) => {
        const key = await publicKey(options.key);
        await registry.rotate({ name, publicKey: key, overlap: options.overlap });
        out.result({ rotated: name ?? null, publicKey: key }, () => [`The key is ${key}.`]);
      }),
    );

  withCommonOptions(operators.command('re-anchor'))
    .description('a root takes note that the control plane was set back: what was signed before is void')
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nFirst look who is there again (`operators list`) and revoke whoever was revoked since.\n\nExample:\n  $ chronawflow operators re-anchor --reason "restored from the backup of 02:00" --yes',
    )
    .action(async ({ reason, yes, ...options }: ReAnchorOptions) =>
      inRegistry(options, async (registry, out) => {
        await confirm('Is everybody revoked who has to be?', 'The anchoring', yes);
        const left = await registry.reAnchor(reason);
        out.result({ leftBehind: left }, () => [
          'Intents are accepted again; those signed before are void.',
          ...left.map((witness) => `${witness} guards nothing any more: start a new one under a new name.`),
        ]);
      }),
    );
}

async function publicKey(keyOrFile: string): Promise<string> {
  if (keyOrFile.startsWith('ssh-')) return keyOrFile;
  return (await readFile(keyOrFile, 'utf8').catch(whenMissing(undefined))) ?? keyOrFile;
}

/** `requester`, `requester:acme,birch`, collected over repeated options. */
function grant(text: string, earlier: readonly Grant[] = []): Grant[] {
  const [name, ...rest] = text.split(':');
  const role = ROLES.find((one) => one === name);
  if (role === undefined) throw new InvalidArgumentError(`choose of ${ROLES.join(', ')}`);
  const tenants = rest
    .join(':')
    .split(',')
    .filter((tenant) => tenant !== '');
  return [...earlier, { role, ...(rest.length === 0 ? {} : { tenants }) }];
}
