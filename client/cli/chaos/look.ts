import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { chaosPage, faultsPage, runsPage } from '../pages/chaos-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

interface ReportOptions extends CommonOptions {
  readonly journalPath?: string;
}

/** `chronawflow chaos list|report` */
export function registerLook(chaos: Command): void {
  withCommonOptions(chaos.command('list'))
    .description('faults that are there now, on all hosts, and the last runs')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos list')
    .action((options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const [faults, runs] = await Promise.all([cf.chaos.activeFaults(), cf.chaos.recent()]);
        out.result({ faults, runs }, () => [...faultsPage(faults), '', ...runsPage(runs)]);
      }),
    );

  withCommonOptions(chaos.command('report'))
    .description('how a run ended')
    .argument('<run>', 'workflow ID')
    .option('--journal-path <file>', 'write the journal in Chaos Toolkit’s format')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos report chaos/database%20slow/20261126')
    .action((run: string, options: ReportOptions) =>
      inSession(options, async ({ cf, out }) => {
        const { report, journal } = await cf.chaos.report(run);
        if (options.journalPath !== undefined)
          await writeFile(options.journalPath, `${JSON.stringify(journal, undefined, 2)}\n`);
        out.result(report, () => chaosPage(report));
      }),
    );
}
