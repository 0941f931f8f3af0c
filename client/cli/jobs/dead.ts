import type { Command } from 'commander';
import { InvalidInputError } from '../../../core/errors';
import type { DeadFilter } from '../../../core/jobs';
import { confirm } from '../confirm';
import { deadPage, stepsPage } from '../pages/jobs-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, type Session, withCommonOptions } from '../session';
import { json, positive, withActor, withBoundary, withJob } from './options';

interface FilterOptions extends CommonOptions, DeadFilter {
  readonly limit: number;
}

interface RedriveOptions extends FilterOptions {
  readonly as: string;
  readonly all?: boolean;
  readonly input?: { readonly value: unknown };
  readonly perSecond?: number;
  readonly yes?: boolean;
}

const withFilter = (command: Command, limit: number) =>
  withBoundary(withCommonOptions(command))
    .option('--code <code>', 'whose last error has this code')
    .option('--limit <n>', 'how many at most', wholeNumber, limit);

/** `chronawflow jobs dead|redrive|discard` */
export function registerDead(jobs: Command): void {
  withFilter(jobs.command('dead'), 100)
    .description('jobs that are spent and wait for a decision, the oldest first')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs dead --tenant acme --code ECONNREFUSED')
    .action(async ({ tenant, type, code, limit, ...options }: FilterOptions) =>
      inSession(options, async ({ cf, out }) => {
        const letters = await cf.jobs.dead({ tenant, type, code }, limit);
        out.result({ letters }, () => deadPage(letters));
      }),
    );

  withActor(withFilter(jobs.command('redrive'), 1_000))
    .description('let a dead job run again, or with --all those of a filter; completed steps stay completed')
    .argument('[job...]', 'tenant, type and key of one job')
    .option('--all', 'all dead jobs that the filter names')
    .option('--input <json>', 'another input for the one job', json)
    .option('--per-second <n>', 'with --all: how many may begin per second', positive)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronawflow jobs redrive acme invoice-run 2026-11 --yes\n' +
        '  $ chronawflow jobs redrive --all --type invoice-run --code ECONNREFUSED --per-second 5 --yes',
    )
    .action(async (job: string[], options: RedriveOptions) =>
      inSession(options, (session) =>
        options.all ? redriveAll(session, job, options) : redriveOne(session, job, options),
      ),
    );

  withActor(withJob(withCommonOptions(jobs.command('discard'))))
    .description('close a dead letter without another run')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow jobs discard acme invoice-run 2026-11 --reason "billed by hand"',
    )
    .action(
      async (
        tenant: string,
        type: string,
        key: string,
        options: CommonOptions & { readonly as: string; readonly reason: string; readonly yes?: boolean },
      ) =>
        inSession(options, async ({ cf, out }) => {
          await confirm(`Discard job ${type} ${key} of ${tenant}?`, 'Discarding the job', options.yes);
          await cf.jobs.discard({ tenant, type, key }, { as: options.as, reason: options.reason });
          out.result({ tenant, type, key, discarded: true }, () => [`Discarded: ${options.reason}`]);
        }),
    );
}

async function redriveOne(
  { cf, out }: Session,
  job: readonly string[],
  options: RedriveOptions,
): Promise<void> {
  const [tenant, type, key, ...rest] = job;
  if (tenant === undefined || type === undefined || key === undefined || rest.length > 0) {
    throw new InvalidInputError('Name one job by tenant, type and key, or give --all.');
  }
  const ref = { tenant, type, key };
  const { steps } = await cf.jobs.show(ref);
  out.page(stepsPage(steps));
  await confirm(`Redrive job ${type} ${key} of ${tenant}?`, 'Redriving the job', options.yes);
  const handle = await cf.jobs.redrive(ref, { as: options.as, input: options.input?.value });
  out.result({ ...ref, workflowId: handle.workflowId, steps }, () => [`Redriven: ${handle.workflowId}`]);
}

async function redriveAll(
  { cf, out }: Session,
  job: readonly string[],
  options: RedriveOptions,
): Promise<void> {
  if (job.length > 0 || options.input !== undefined) {
    throw new InvalidInputError('--all takes a filter, neither a job nor an input.');
  }
  const { tenant, type, code, limit, as, perSecond } = options;
  const letters = await cf.jobs.dead({ tenant, type, code }, limit);
  out.page(deadPage(letters));
  if (letters.length > 0)
    await confirm(`Redrive these ${letters.length} jobs?`, 'Redriving the jobs', options.yes);
  const redriven = await cf.jobs.redriveMany({ tenant, type, code }, { as, limit, perSecond });
  out.result({ redriven }, () => [`Redriven: ${redriven.length}`]);
}
