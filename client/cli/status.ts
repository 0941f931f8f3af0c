import type { Command } from 'commander';
import { overviewPage } from './pages/overview-page';
import { type CommonOptions, inSession, withCommonOptions } from './session';

/** `chronawflow status`: one screen for whoever is woken. */
export function registerStatus(program: Command): void {
  withCommonOptions(program.command('status'))
    .description('one screen: level, breakers, queues, RPO and RTO, last drill, audit seal')
    .addHelpText('after', '\nExample:\n  $ chronawflow status')
    .action(async (options: CommonOptions) =>
      inSession(
        options,
        async ({ cf, out }) => {
          const overview = await cf.overview();
          out.result(overview, () => overviewPage(overview));
        },
        { whenTemporalIsAway: 'outbox' },
      ),
    );
}
