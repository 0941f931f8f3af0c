import type { Command } from 'commander';
import type { AppliedLevel } from '../../../core/degradation';
import { currentOperator } from '../../operator';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { readSigned, type SignedOptions, withSigned, writeIntent } from '../signed-request';

interface ByHandOptions extends CommonOptions {
  readonly reason: string;
  readonly as: string;
  readonly scope?: string;
}

interface TimedOptions extends ByHandOptions, SignedOptions {
  readonly for: string;
}

/** `chronawflow degradation set|release|read-only|writable` */
export function registerByHand(degradation: Command): void {
  timed(degradation.command('set'))
    .description('set the level by hand, for a time; the controller decides again after it')
    .argument('<level>', 'name of the level, such as core-only or normal')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow degradation set limited --for 2h --reason "the bank is down"',
    )
    .action(async (level: string, options: TimedOptions) =>
      inSession(options, async ({ cf, out }) => {
        if (options.sign !== undefined)
          return writeIntent(out, options.sign, await cf.degradation.request({ ...options, level }));
        const signed = await readSigned(options);
        const applied = await cf.degradation.applyDegradation({ ...options, level, signed });
        out.result(applied, () => [`Set: ${applied.level} for ${options.for}, version ${applied.version}.`]);
      }),
    );

  byHand(degradation.command('release'))
    .description('give a level that was set by hand back to the controller')
    .addHelpText('after', '\nExample:\n  $ chronawflow degradation release --reason "the bank is back"')
    .action(async (options: ByHandOptions) =>
      inSession(options, async ({ cf, out }) => {
        const applied = await cf.degradation.recover(options);
        out.result(applied, () => [`The controller decides again, from ${applied.level} on.`]);
      }),
    );

  timed(degradation.command('read-only'))
    .description('refuse writes, for a time; those of core features as well')
    .addHelpText('after', '\nExample:\n  $ chronawflow degradation read-only --for 30m --reason "failover"')
    .action(async (options: TimedOptions) =>
      inSession(options, async ({ cf, out }) => {
        if (options.sign !== undefined)
          return writeIntent(out, options.sign, await cf.degradation.request(options));
        const applied = await cf.degradation.setReadOnly({ ...options, signed: await readSigned(options) });
        out.result(applied, () => [`Writes are refused for ${options.for}, version ${applied.version}.`]);
      }),
    );

  byHand(degradation.command('writable'))
    .description('take writes again')
    .addHelpText('after', '\nExample:\n  $ chronawflow degradation writable --reason "failover is over"')
    .action(async (options: ByHandOptions) =>
      inSession(options, async ({ cf, out }) => {
        const applied: AppliedLevel = await cf.degradation.endReadOnly(options);
        out.result(applied, () => [`Writes are taken again, version ${applied.version}.`]);
      }),
    );
}

function byHand(command: Command): Command {
  return withCommonOptions(command)
    .requiredOption('--reason <text>', 'why, for whoever looks and for the audit log')
    .option('--as <name>', 'who you are', currentOperator())
    .option('--scope <scope>', 'platform, or tier/<tier>', 'platform');
}

function timed(command: Command): Command {
  return withSigned(byHand(command)).requiredOption(
    '--for <duration>',
    "how long, such as '2h'; at most 31 days",
  );
}
