import type { Command } from 'commander';
import { shellWord } from '../../../core/recovery/shell-word.pure';
import { currentOperator } from '../../operator';
import { confirm } from '../confirm';
import { count } from '../pages/format';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { previewWithSamples } from './preview-with-samples';

interface DecideOptions extends CommonOptions {
  readonly as: string;
  readonly yes?: boolean;
}

/** `chronawflow recovery approve|reject|cancel` */
export function registerDecide(recovery: Command): void {
  withCommonOptions(recovery.command('approve'))
    .description('approve exactly the diff with this hash')
    .argument('<run>', 'workflow ID or restore ID')
    .requiredOption('--hash <hash>', "the preview's diff hash")
    .option('--as <name>', 'who approves; not the one who asked', currentOperator())
    .option('--yes', 'do not show the preview and ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery approve restore/acme/20261123t101500-9f3a --hash 4be1… --as grace',
    )
    .action(async (reference: string, options: DecideOptions & { readonly hash: string }) =>
      inSession(options, async ({ cf, out }) => {
        const run = await cf.recovery.find(reference);
        if (!options.yes) {
          const preview = await run.currentPreview();
          if (preview !== undefined) {
            out.page(await previewWithSamples(cf, preview, run.workflowId));
            const { insert, update, delete: gone } = preview.totals;
            await confirm(
              `Approve: insert ${count(insert)}, update ${count(update)}, delete ${count(gone)} rows of tenant ${preview.tenant}?`,
              'The approval',
              options.yes,
            );
          }
        }
        const answer = await run.approve({ diffHash: options.hash, as: options.as });
        out.result({ workflowId: run.workflowId, ...answer }, () => [
          answer.missing === 0
            ? `Approved by ${answer.approvedBy.join(' and ')}; the merge follows.`
            : `Approved by ${answer.approvedBy.join(' and ')}; one more approval is needed.`,
        ]);
      }),
    );

  withCommonOptions(recovery.command('reject'))
    .description('end a restore without any change')
    .argument('<run>', 'workflow ID or restore ID')
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--as <name>', 'who rejects', currentOperator())
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery reject r0123456789ab --as grace --reason "wrong tenant"',
    )
    .action(async (reference: string, options: DecideOptions & { readonly reason: string }) =>
      inSession(options, async ({ cf, out }) => {
        const run = await cf.recovery.find(reference);
        await run.reject({ as: options.as, reason: options.reason });
        out.result({ workflowId: run.workflowId, rejected: true }, () => [
          `${run.workflowId} is rejected; it cleans up and ends.`,
        ]);
      }),
    );

  withCommonOptions(recovery.command('cancel'))
    .description('stop a restore at any step; the tenant is left as it was, unfrozen')
    .argument('<run>', 'workflow ID or restore ID')
    .option('--as <name>', 'who cancels', currentOperator())
    .option('--reason <text>', 'for the audit log')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery cancel restore/acme/20261123t101500-9f3a --yes',
    )
    .action(async (reference: string, options: DecideOptions & { readonly reason?: string }) =>
      inSession(options, async ({ cf, out }) => {
        await confirm(`Cancel ${reference}?`, 'The cancellation', options.yes);
        const result = await cf.recovery.cancel(reference, {
          requestedBy: options.as,
          reason: options.reason,
        });
        out.result({ run: reference, result }, () =>
          result === 'asked'
            ? [
                `${reference} has been told to stop and clean up.`,
                `  chronawflow recovery status ${shellWord(reference)}`,
              ]
            : [`The run of ${reference} was gone; what it left has been cleaned up.`],
        );
      }),
    );
}
