import type { Command } from 'commander';
import { InvalidInputError } from '../../../core/errors';
import { type JobRef, NothingUndoneError, type UndoneFilter, type UndoneSubject } from '../../../core/jobs';
import { confirm } from '../confirm';
import { undonePage } from '../pages/undone-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, type Session, withCommonOptions } from '../session';
import { positive, withActor, withBoundary } from './options';

interface ListOptions extends CommonOptions {
  readonly tenant?: string;
  readonly type?: string;
  readonly restore?: string;
  readonly limit: number;
}

interface DecideOptions extends ListOptions {
  readonly as: string;
  readonly all?: boolean;
  readonly keep?: readonly string[];
  readonly perSecond?: number;
  readonly yes?: boolean;
}

const withFilter = (command: Command, limit: number) =>
  withBoundary(withCommonOptions(command))
    .option('--restore <id>', 'undone by this restore')
    .option('--limit <n>', 'how many at most', wholeNumber, limit);

const withSubject = (command: Command) =>
  withActor(withFilter(command, 1_000))
    .argument('[subject...]', 'tenant, type and key of one job; tenant, scope and key of one request')
    .option('--all', 'all that the filter names, in the order in which they were completed')
    .option('--yes', 'do not ask');

/** `chronawflow jobs undone list|redrive|leave` */
export function registerUndone(jobs: Command): void {
  const undone = jobs
    .command('undone')
    .description('effects that a restore took back: jobs and requests whose records say that they were done')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs undone list --restore r0123456789ab');

  withFilter(undone.command('list'), 100)
    .description('what waits for a decision, in the order in which it was completed')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs undone list --tenant acme --json')
    .action(async (options: ListOptions) =>
      inSession(options, async ({ cf, out }) => {
        const subjects = await cf.jobs.undone.list(filterOf(options), options.limit);
        out.result({ undone: subjects }, () => undonePage(subjects));
      }),
    );

  withSubject(undone.command('redrive'))
    .description('do the undone steps again, with the same idempotency keys; of a request, free its key')
    .option('--keep <step...>', 'undone steps that stay done, such as one that only called outside')
    .option('--per-second <n>', 'with --all: how many may begin per second', positive)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronawflow jobs undone redrive acme invoice-run 2026-11 --keep collect --yes\n' +
        '  $ chronawflow jobs undone redrive --all --restore r0123456789ab --per-second 5 --yes',
    )
    .action(async (subject: string[], options: DecideOptions) =>
      inSession(options, async (session) => {
        const { as, keep, perSecond } = options;
        const chosen = await choose(session, subject, options, 'Redrive');
        for (const [index, one] of chosen.entries()) {
          const delayMs = perSecond === undefined ? 0 : Math.floor((index * 1_000) / perSecond);
          await session.cf.jobs.undone.redrive(one, { as, keep, delayMs });
        }
        session.out.result({ redriven: chosen.map(refOf) }, () => [`Redriven: ${chosen.length}`]);
      }),
    );

  withSubject(undone.command('leave'))
    .description('leave the effects undone; the recorded results stay')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs undone leave acme invoice-run 2026-11 --yes')
    .action(async (subject: string[], options: DecideOptions) =>
      inSession(options, async (session) => {
        const chosen = await choose(session, subject, options, 'Leave');
        for (const one of chosen) await session.cf.jobs.undone.leave(one, { as: options.as });
        session.out.result({ left: chosen.map(refOf) }, () => [`Left: ${chosen.length}`]);
      }),
    );
}

/** Shows what it is about, with the calls that were made outside, and asks. */
async function choose(
  { cf, out }: Session,
  subject: readonly string[],
  options: DecideOptions,
  verb: string,
): Promise<readonly UndoneSubject[]> {
  const filter = options.all ? filterOf(options) : oneOf(subject);
  if (options.all && subject.length > 0) throw new InvalidInputError('--all takes a filter, no job.');
  const chosen = await cf.jobs.undone.list(filter, options.limit);
  out.page(undonePage(chosen));
  if (chosen.length === 0 && !options.all) throw new NothingUndoneError(oneOf(subject));
  if (chosen.length > 0)
    await confirm(`${verb} these ${chosen.length}?`, `${verb} undone effects`, options.yes);
  return chosen;
}

function oneOf([tenant, type, key, ...rest]: readonly string[]): JobRef {
  if (tenant === undefined || type === undefined || key === undefined || rest.length > 0)
    throw new InvalidInputError('Name one job or request by tenant, type and key, or give --all.');
  return { tenant, type, key };
}

function filterOf({ tenant, type, restore }: ListOptions): UndoneFilter {
  return { tenant, type, restoreId: restore };
}

function refOf({ tenant, type, key }: JobRef): JobRef {
  return { tenant, type, key };
}
