import { type Command, Option } from 'commander';
import { currentOperator } from '../../operator';
import type { ScheduledKind } from '../../recovery-schedules';
import { confirm } from '../confirm';
import { schedulePage } from '../pages/points-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { DRILL_TARGET } from './drill';

/** `chronawflow recovery schedule list|set|remove` */
export function registerSchedule(recovery: Command): void {
  const schedule = recovery.command('schedule').description('regular recovery points and drills');

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
    .addOption(kindOption('drill'))
    .requiredOption('--cron <expression>', 'five fields, in UTC')
    .option('--tenant <key>', 'of a drill; default: each run takes the tenant that waits longest')
    .option('--to <target>', `of a drill, such as "20m ago" (default "${DRILL_TARGET}")`)
    .option('--as <name>', 'who asks', currentOperator())
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronawflow recovery schedule set nightly --kind full --cron "0 2 * * *"\n  $ chronawflow recovery schedule set rehearsal --kind drill --cron "0 4 * * 1"',
    )
    .action(
      async (
        name: string,
        options: CommonOptions & {
          readonly kind: ScheduledKind;
          readonly cron: string;
          readonly tenant?: string;
          readonly to?: string;
          readonly as: string;
        },
      ) =>
        inSession(options, async ({ cf, out }) => {
          const { kind, cron, tenant, to } = options;
          await cf.recovery.schedules.set({ name, kind, cron, tenant, to, requestedBy: options.as });
          const what = kind === 'drill' ? 'a drill' : `a ${kind} recovery point`;
          out.result({ name, kind, cron, tenant, to }, () => [`${name}: ${what} at ${cron} (UTC).`]);
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

/** @param more what can be asked for here beside recovery points. */
export function kindOption(...more: readonly string[]): Option {
  return new Option('--kind <kind>', ['a backup, a named restore point', ...more].join(', or a '))
    .choices(['full', 'differential', 'incremental', 'named', ...more])
    .makeOptionMandatory();
}
