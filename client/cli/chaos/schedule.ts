import type { Command } from 'commander';
import { parseDuration } from '../../../config';
import { InvalidInputError } from '../../../core/errors';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { readDocument } from './read-document';

interface SetOptions extends CommonOptions {
  readonly cron: string;
  readonly blackout?: readonly string[];
  readonly jitter?: string;
  readonly as?: string;
}

/** `chronawflow chaos schedule set|list|remove` */
export function registerSchedule(chaos: Command): void {
  const schedule = chaos.command('schedule').description('experiments by the clock');

  withCommonOptions(schedule.command('set'))
    .description('run an experiment by a cron expression in UTC, or change the schedule of this name')
    .argument('<name>', 'of the schedule')
    .argument('<file>', 'JSON or YAML')
    .requiredOption('--cron <expression>', 'five fields; hours and days are the window')
    .option('--blackout <dates...>', 'days on which nothing is disturbed, such as 2026-12-24')
    .option('--jitter <duration>', 'begin up to so much later, by chance')
    .option('--as <name>', 'who asks')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow chaos schedule set weekly examples/experiments/worker-killed.yaml --cron "0 10 * * 2" --blackout 2026-12-24',
    )
    .action(async (name: string, file: string, { cron, blackout, jitter, as, ...options }: SetOptions) => {
      const experiment = await readDocument(file);
      const jitterMs = jitter === undefined ? undefined : parseDuration(jitter);
      if (jitter !== undefined && jitterMs === undefined)
        throw new InvalidInputError(`--jitter: '${jitter}' is no duration; write it like '10m'.`);
      await inSession(options, async ({ cf, out }) => {
        await cf.chaos.schedules.set({ name, experiment, cron, blackout, jitterMs, requestedBy: as });
        out.result({ name, cron }, () => [`Set: ${name}, ${cron} (UTC).`]);
      });
    });

  withCommonOptions(schedule.command('list'))
    .description('schedules and their next runs')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos schedule list')
    .action((options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const schedules = await cf.chaos.schedules.list();
        out.result({ schedules }, () =>
          schedules.length === 0
            ? ['No experiment is scheduled.']
            : schedules.map(
                ({ name, runs, nextRuns }) => `${name}: ${runs} run(s), next ${nextRuns[0] ?? 'never'}`,
              ),
        );
      }),
    );

  withCommonOptions(schedule.command('remove'))
    .description('end a schedule; what runs goes on')
    .argument('<name>', 'of the schedule')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos schedule remove weekly')
    .action((name: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        await cf.chaos.schedules.remove(name);
        out.result({ name, removed: true }, () => [`Removed: ${name}.`]);
      }),
    );
}
