import { type Command, Option } from 'commander';
import type { RecoveryPointKind } from '../../../core/recovery/types';
import { currentOperator } from '../../operator';
import { confirm } from '../confirm';
import { schedulePage } from '../pages/points-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

/** `chronawflow recovery schedule list|set|remove` */
export function registerSchedule(recovery: Command): void {
  const schedule = recovery.command('schedule').description('regular recovery points');

  withCommonOptions(schedule.command('list'))
    .description('schedules with their next runs and those that were missed')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery schedule list')
    .action(async (options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const schedules = await cf.recovery.schedules.list();
        out.result({ schedules }, () => schedulePage(schedules));
      }),
    );

  withCommonOptions(schedule.command('set'))
    .description('create a schedule, or change it')
    .argument('<name>')
    .addOption(kindOption())
    .requiredOption('--cron <expression>', 'five fields, in UTC')
    .option('--as <name>', 'who asks', currentOperator())
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery schedule set nightly --kind full --cron "0 2 * * *"',
    )
    .action(
      async (
        name: string,
        options: CommonOptions & {
          readonly kind: RecoveryPointKind;
          readonly cron: string;
          readonly as: string;
        },
      ) =>
        inSession(options, async ({ cf, out }) => {
          const { kind, cron } = options;
          await cf.recovery.schedules.set({ name, kind, cron, requestedBy: options.as });
          out.result({ name, kind, cron }, () => [`${name}: a ${kind} recovery point at ${cron} (UTC).`]);
        }),
    );

  withCommonOptions(schedule.command('remove'))
    .description('end a schedule; its recovery points stay')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery schedule remove nightly --yes')
    .action(async (name: string, options: CommonOptions & { readonly yes?: boolean }) =>
      inSession(options, async ({ cf, out }) => {
        await confirm(`End the schedule ${name}?`, 'The removal', options.yes);
        await cf.recovery.schedules.remove(name);
        out.result({ name, removed: true }, () => [`${name} has ended.`]);
      }),
    );
}

export function kindOption(): Option {
  return new Option('--kind <kind>', 'a backup, or a named restore point')
    .choices(['full', 'differential', 'incremental', 'named'])
    .makeOptionMandatory();
}
