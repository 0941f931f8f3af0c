import type { Command } from 'commander';
import { currentOperator } from '../../operator';
import { interruptible } from '../interruptible';
import { exitCodeOfDrill, reportPage } from '../pages/report-page';
import { progressOf } from '../progress';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { goesOn } from './goes-on';

interface DrillOptions extends CommonOptions {
  readonly tenant?: string;
  readonly to: string;
  readonly as: string;
  readonly reason?: string;
  readonly request?: string;
  readonly wait: boolean;
}

/** As the input's own default. */
export const DRILL_TARGET = '5m ago';

/** `chronawflow recovery drill` */
export function registerDrill(recovery: Command): void {
  withCommonOptions(recovery.command('drill'))
    .description('practise a restore up to the preview; the tenant is neither frozen nor changed')
    .option('--tenant <key>', 'default: the tenant that waits longest for a drill')
    .option('--to <target>', 'as for `recovery restore`', DRILL_TARGET)
    .option('--as <name>', 'who asks', currentOperator())
    .option('--reason <text>', 'for the audit log')
    .option('--request <name>', "last part of the workflow's ID; a name is carried out once")
    .option('--wait', 'wait until the end (default)', true)
    .option('--no-wait', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExits 1 when the drill failed or an objective of the tenant was missed.\n\nExample:\n  $ chronawflow recovery drill --tenant acme --to "20m ago"',
    )
    .action(async (options: DrillOptions) =>
      inSession(options, async ({ cf, out }) => {
        const { tenant, to, reason, request } = options;
        const run = await cf.recovery.drill({ tenant, to, reason, request, requestedBy: options.as });
        const { workflowId, webUrl } = run;
        if (!options.wait) {
          out.result({ workflowId, webUrl }, () => [`${workflowId} has started.`]);
          return;
        }
        out.note(`${workflowId}${webUrl === undefined ? '' : `\n${webUrl}`}`);
        const progress = await progressOf(out.json);
        try {
          const report = await interruptible(
            () => goesOn(workflowId),
            async (signal) => {
              await run.until(() => false, { onStatus: progress.show, signal });
              return run.result();
            },
          );
          progress.close();
          out.result(report, () => ['', ...reportPage(report)]);
          process.exitCode = exitCodeOfDrill(report);
        } finally {
          progress.close();
        }
      }),
    );
}
