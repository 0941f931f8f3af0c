import type { Command } from 'commander';
import { confirm } from '../confirm';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { readSigned, type SignedOptions, withSigned, writeIntent } from '../signed-request';

interface DestroyOptions extends CommonOptions, SignedOptions {
  readonly tenant: string;
  readonly reason: string;
  readonly as?: string;
  readonly yes?: boolean;
}

/** `chronawflow keys destroy` */
export function registerDestroy(keys: Command): void {
  withSigned(withCommonOptions(keys.command('destroy')))
    .description('end all of a tenant’s workflows, then make their histories unreadable for good')
    .requiredOption('--tenant <key>', 'whose')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--as <operator>', 'who decides (default: CHRONAWFLOW_OPERATOR, or the account)')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow keys destroy --tenant acme --reason "contract ended, request 4711"',
    )
    .action(async ({ tenant, reason, as, yes, ...options }: DestroyOptions) =>
      inSession(options, async ({ cf, out }) => {
        if (options.sign !== undefined) {
          const { intent } = await cf.keys.requestDestroy({ tenant, reason });
          return writeIntent(out, options.sign, intent);
        }
        const signed = await readSigned(options);
        await confirm(
          `End all workflows of ${tenant} and make their histories unreadable for good?`,
          `destroying the payload keys of ${tenant}`,
          yes,
        );
        const report = await cf.keys.destroy({
          tenant,
          reason,
          as,
          signed,
          onStep: (step) => out.note(step),
        });
        out.result(report, () => [
          `Destroyed: ${report.keys} keys of ${tenant}, after ${report.runsEnded} runs were ended.`,
          `Backups of the control plane from before ${report.at} still have them, wrapped. To be rid of them before those expire:`,
          'make a new key-encryption key, `chronawflow keys rotate --wrapping`, and destroy the old one.',
        ]);
      }),
    );
}
