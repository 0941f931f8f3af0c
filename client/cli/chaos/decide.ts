import type { Command } from 'commander';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

interface DecideOptions extends CommonOptions {
  readonly as?: string;
  readonly step?: string;
}

/** `chronawflow chaos approve|confirm` */
export function registerDecide(chaos: Command): void {
  withCommonOptions(chaos.command('approve'))
    .description('let an experiment in production begin')
    .argument('<run>', 'workflow ID')
    .option('--as <name>', 'who approves; not the requester (default: CHRONAWFLOW_OPERATOR, or the account)')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow chaos approve chaos/database%20slow/20261126 --as grace',
    )
    .action((run: string, options: DecideOptions) =>
      inSession(options, async ({ cf, out }) => {
        const handle = cf.chaos.handle(run);
        // Where operators sign, whoever consents sees to what.
        const { request } = await handle.status();
        if (request !== undefined) out.note(request.intent);
        const status = await handle.approve({ as: options.as });
        out.result(status, () => ['Approved.']);
      }),
    );

  withCommonOptions(chaos.command('confirm'))
    .description('let the next step of a game day begin')
    .argument('<run>', 'workflow ID')
    .option('--as <name>', 'who confirms (default: CHRONAWFLOW_OPERATOR, or the account)')
    .option('--step <text>', 'the step that is shown; another one is refused')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos confirm chaos/game%20day/1 --as grace')
    .action((run: string, options: DecideOptions) =>
      inSession(options, async ({ cf, out }) => {
        const status = await cf.chaos.handle(run).confirm({ as: options.as, step: options.step });
        out.result(status, () => ['Confirmed.']);
      }),
    );
}
