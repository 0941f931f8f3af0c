import { type Command, Option } from 'commander';
import type { JobState } from '../../../core/jobs';
import { depthsPage, jobPage, jobsPage, statusPage } from '../pages/jobs-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { withBoundary, withJob } from './options';

interface ListOptions extends CommonOptions {
  readonly tenant?: string;
  readonly type?: string;
  readonly state?: readonly JobState[];
  readonly limit: number;
}

const STATES: readonly JobState[] = ['waiting', 'handed', 'running', 'done', 'dead', 'cancelled'];

/** `chronawflow jobs list|show|queues|cancel` */
export function registerLook(jobs: Command): void {
  withBoundary(withCommonOptions(jobs.command('list')))
    .description('the newest jobs')
    .addOption(new Option('--state <state...>', 'in these states only').choices(STATES))
    .option('--limit <n>', 'how many at most', wholeNumber, 50)
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs list --tenant acme --state waiting running')
    .action(async ({ tenant, type, state, limit, ...options }: ListOptions) =>
      inSession(options, async ({ cf, out }) => {
        const found = await cf.jobs.list({ tenant, type, states: state }, limit);
        out.result({ jobs: found }, () => jobsPage(found));
      }),
    );

  withJob(withCommonOptions(jobs.command('show')))
    .description('everything about one job: state, errors, completed steps, dead letters, link')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs show acme invoice-run 2026-11')
    .action(async (tenant: string, type: string, key: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const view = await cf.jobs.show({ tenant, type, key });
        out.result(view, () => jobPage(view));
      }),
    );

  withCommonOptions(jobs.command('queues'))
    .description('what waits, runs and is dead, by tenant and type; the deepest queues first')
    .option('--limit <n>', 'how many at most', wholeNumber, 50)
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs queues --json')
    .action(async ({ limit, ...options }: CommonOptions & { readonly limit: number }) =>
      inSession(options, async ({ cf, out }) => {
        const queues = await cf.jobs.depths(limit);
        out.result({ queues }, () => depthsPage(queues));
      }),
    );

  withJob(withCommonOptions(jobs.command('cancel')))
    .description('cancel a job: at once where it waits; where it runs, its code is told')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs cancel acme invoice-run 2026-11')
    .action(async (tenant: string, type: string, key: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const handle = cf.jobs.handle({ tenant, type, key });
        await handle.cancel();
        const status = await handle.status();
        out.result(status, () => statusPage(status));
      }),
    );
}
