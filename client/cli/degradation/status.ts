import type { Command } from 'commander';
import { degradationPage } from '../pages/degradation-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

export function registerDegradationStatus(degradation: Command): void {
  withCommonOptions(degradation.command('status'))
    .description('the level, why and since when, what is off and what would bring it back')
    .addHelpText('after', '\nExample:\n  $ chronawflow degradation status')
    .action(async (options: CommonOptions) =>
      // What is looked at is in the database: it is seen without Temporal as well.
      inSession(
        options,
        async ({ cf, out }) => {
          const scopes = await cf.degradation.assessSystemHealth();
          out.result({ scopes }, () => degradationPage(scopes));
        },
        { whenTemporalIsAway: 'outbox' },
      ),
    );
}
