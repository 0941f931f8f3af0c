import type { Command } from 'commander';
import { InvalidInputError } from '../../../core/errors';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

interface RotateOptions extends CommonOptions {
  readonly tenant?: string;
  readonly wrapping?: boolean;
  readonly as?: string;
  readonly reason: string;
}

/** `chronawflow keys rotate` */
export function registerRotate(keys: Command): void {
  withCommonOptions(keys.command('rotate'))
    .description('give a tenant a new key, or wrap all keys by the first key-encryption key')
    .option('--tenant <key>', 'a new key for what is encrypted from now on')
    .option('--wrapping', 'wrap every key by the first of payloads.keyEncryptionKeys')
    .option('--as <operator>', 'who decides (default: CHRONAWFLOW_OPERATOR, or the account)')
    .option('--reason <text>', 'why, for the audit log', 'rotation')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow keys rotate --tenant acme\n  $ chronawflow keys rotate --wrapping',
    )
    .action(async ({ tenant, wrapping, as, reason, ...options }: RotateOptions) => {
      if ((tenant === undefined) === (wrapping === undefined)) {
        throw new InvalidInputError('Say what to rotate: --tenant KEY or --wrapping.');
      }
      await inSession(options, async ({ cf, out }) => {
        if (tenant !== undefined) {
          await cf.keys.rotate({ tenant, as, reason });
          out.result({ tenant, rotated: true }, () => [
            `${tenant} gets a new key with its next payload; the old ones decrypt what they encrypted.`,
          ]);
          return;
        }
        const rewrapped = await cf.keys.rewrap({ as, reason });
        out.result({ rewrapped }, () => [
          `${rewrapped} keys are wrapped anew. What \`chronawflow keys list\` does not name any more can be given up.`,
        ]);
      });
    });
}
