import type { Command } from 'commander';
import { parseDuration } from '../../../config';
import { InvalidInputError } from '../../../core/errors';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { readSigned, type SignedOptions, withSigned, writeIntent } from '../signed-request';
import { readDocument } from './read-document';

interface SetOptions extends CommonOptions, SignedOptions {
  readonly cron?: string;
  readonly perHour?: number;
  readonly hours?: string;
  readonly blackout?: readonly string[];
  readonly jitter?: string;
  readonly as?: string;
}

/** `chronawflow chaos schedule set|list|remove` */
export function registerSchedule(chaos: Command): void {
  const schedule = chaos.command('schedule').description('experiments by the clock');

  withSigned(withCommonOptions(schedule.command('set')))
    .description('run an experiment by a cron expression or at a rate, or change the schedule of this name')
    .argument('<name>', 'of the schedule')
    .argument('<file>', 'JSON or YAML')
    .option('--cron <expression>', 'five fields in UTC; hours and days are the window')
    .option('--per-hour <n>', 'so often on the average, at moments of chance', Number)
    .option('--hours <from-to>', 'with --per-hour: only within these hours, UTC, such as 9-17')
    .option('--blackout <dates...>', 'days on which nothing is disturbed, such as 2026-12-24')
    .option('--jitter <duration>', 'begin up to so much later, by chance')
    .option('--as <name>', 'who asks')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow chaos schedule set weekly examples/experiments/worker-killed.yaml --cron "0 10 * * 2" --blackout 2026-12-24',
    )
    .action(
      async (
        name: string,
        file: string,
        { cron, perHour, hours, blackout, jitter, as, ...options }: SetOptions,
      ) => {
        const experiment = await readDocument(file);
        const jitterMs = jitter === undefined ? undefined : parseDuration(jitter);
        if (jitter !== undefined && jitterMs === undefined)
          throw new InvalidInputError(`--jitter: '${jitter}' is no duration; write it like '10m'.`);
        await inSession(options, async ({ cf, out }) => {
          const rate =
            perHour === undefined ? undefined : { perHour, ...(hours && { hours: hoursOf(hours) }) };
          const request = { name, experiment, cron, rate, blackout, jitterMs, requestedBy: as };
          if (options.sign !== undefined)
            return writeIntent(out, options.sign, (await cf.chaos.schedules.request(request)).intent);
          await cf.chaos.schedules.set({ ...request, signed: await readSigned(options) });
          const when =
            rate === undefined
              ? `${cron} (UTC)`
              : `${perHour} an hour${hours ? ` within ${hours} h UTC` : ''}`;
          out.result({ name, cron, rate }, () => [`Set: ${name}, ${when}.`]);
        });
      },
    );

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

/** @throws InvalidInputError */
function hoursOf(text: string) {
  const match = /^(\d{1,2})-(\d{1,2})$/.exec(text);
  if (match === null) throw new InvalidInputError(`--hours: '${text}' is no window; write it like 9-17.`);
  return { from: Number(match[1]), to: Number(match[2]) };
}
