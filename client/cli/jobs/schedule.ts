import type { Command } from 'commander';
import type { JobPriority } from '../../../core/jobs';
import { confirm } from '../confirm';
import { schedulesPage } from '../pages/jobs-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { json, priority } from './options';

interface SetOptions extends CommonOptions {
  readonly type: string;
  readonly input?: { readonly value: unknown };
  readonly priority?: JobPriority;
  readonly cron?: string;
  readonly every?: string;
  readonly timeZone?: string;
  readonly jitter?: string;
  readonly catchUp?: string;
}

/** `chronawflow jobs schedule set|list|pause|resume|remove` */
export function registerSchedule(jobs: Command): void {
  const schedule = jobs
    .command('schedule')
    .description('regular jobs of single tenants')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs schedule list --tenant acme');

  withSchedule(withCommonOptions(schedule.command('set')))
    .description('create a schedule, or change it')
    .requiredOption('--type <type>', 'the jobs’ type')
    .option('--input <json>', 'the jobs’ input (default: null)', json)
    .option('--priority <level>', '1 (most urgent) to 5 (default: the type’s)', priority)
    .option('--cron <expression>', 'five fields, in the time zone')
    .option('--every <duration>', 'instead of --cron, such as 15m')
    .option('--time-zone <name>', 'of --cron, such as Europe/Berlin (default: UTC)')
    .option('--jitter <duration>', 'each run begins up to this much later, at random')
    .option('--catch-up <duration>', 'how late a run may be made up for that was due meanwhile (default: 1h)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronawflow jobs schedule set acme monthly --type invoice-run --cron "0 3 1 * *" --time-zone Europe/Berlin\n' +
        '  $ chronawflow jobs schedule set acme feed --type bank-import --every 15m --jitter 5m',
    )
    .action(async (tenant: string, name: string, options: SetOptions) =>
      inSession(options, async ({ cf, out }) => {
        const { type, input, priority: level, cron, every, timeZone, jitter, catchUp } = options;
        const when = { cron, every, timeZone, jitter, catchUp };
        await cf.jobs.schedule({ tenant, name, type, input: input?.value ?? null, priority: level, ...when });
        out.result({ tenant, name, type, ...when }, () => [
          `${name} of ${tenant}: ${type} ${cron === undefined ? `every ${every}` : `at ${cron} (${timeZone ?? 'UTC'})`}.`,
        ]);
      }),
    );

  withCommonOptions(schedule.command('list'))
    .description('schedules with their next runs and those that were missed')
    .option('--tenant <key>', 'of this tenant only')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs schedule list --tenant acme')
    .action(async ({ tenant, ...options }: CommonOptions & { readonly tenant?: string }) =>
      inSession(options, async ({ cf, out }) => {
        const schedules = await cf.jobs.schedules.list(tenant);
        out.result({ schedules }, () => schedulesPage(schedules));
      }),
    );

  withSchedule(withCommonOptions(schedule.command('pause')))
    .description('submit no more of its jobs until it is resumed; for all of a tenant’s jobs: jobs pause')
    .option('--reason <text>', 'why, shown in the list', 'paused')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow jobs schedule pause acme feed --reason "the bank is closed"',
    )
    .action(async (tenant: string, name: string, options: CommonOptions & { readonly reason: string }) =>
      inSession(options, async ({ cf, out }) => {
        await cf.jobs.schedules.pause(tenant, name, options.reason);
        out.result({ tenant, name, paused: true }, () => [`${name} of ${tenant} is paused.`]);
      }),
    );

  withSchedule(withCommonOptions(schedule.command('resume')))
    .description('let a paused schedule go on with its next time')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs schedule resume acme feed')
    .action(async (tenant: string, name: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        await cf.jobs.schedules.resume(tenant, name);
        out.result({ tenant, name, paused: false }, () => [`${name} of ${tenant} goes on.`]);
      }),
    );

  withSchedule(withCommonOptions(schedule.command('remove')))
    .description('end a schedule; jobs that it submitted stay')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs schedule remove acme feed --yes')
    .action(async (tenant: string, name: string, options: CommonOptions & { readonly yes?: boolean }) =>
      inSession(options, async ({ cf, out }) => {
        await confirm(`End the schedule ${name} of ${tenant}?`, 'The removal', options.yes);
        await cf.jobs.schedules.remove(tenant, name);
        out.result({ tenant, name, removed: true }, () => [`${name} of ${tenant} has ended.`]);
      }),
    );
}

function withSchedule(command: Command): Command {
  return command.argument('<tenant>', 'the tenant’s key').argument('<name>', 'the schedule’s name');
}
