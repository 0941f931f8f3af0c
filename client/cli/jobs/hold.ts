import type { Command } from 'commander';
import { InvalidInputError } from '../../../core/errors';
import type { Boundary, HoldBoundary } from '../../../core/jobs';
import { holdsPage } from '../pages/jobs-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { positive, withActor, withBoundary, withHoldBoundary } from './options';

interface HoldOptions extends CommonOptions, HoldBoundary {
  readonly as: string;
}

interface ReleaseOptions extends HoldOptions {
  readonly everything?: boolean;
}

interface LimitOptions extends CommonOptions, Boundary {
  readonly as: string;
  readonly inFlight?: number;
  readonly backlog?: number;
  readonly weight?: number;
}

/** `chronawflow jobs quarantine|release|holds|limit` */
export function registerHold(jobs: Command): void {
  withActor(withHoldBoundary(withCommonOptions(jobs.command('quarantine'))))
    .description(
      'hold back jobs of a tenant, a type, or both, or one job; what runs goes on, nothing is lost',
    )
    .requiredOption('--reason <text>', 'why, shown with every held job')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow jobs quarantine --tenant acme --type bank-import --reason "the bank’s file is broken"',
    )
    .action(
      async ({ tenant, type, key, as, reason, ...options }: HoldOptions & { readonly reason: string }) =>
        inSession(options, async ({ cf, out }) => {
          const at = boundary({ tenant, type, key });
          const fresh = await cf.jobs.quarantine(at, { as, reason });
          out.result({ ...at, held: true, fresh }, () => [
            `${fresh ? 'Held' : 'Was held already'}: ${describe(at)}.`,
          ]);
        }),
    );

  withActor(withHoldBoundary(withCommonOptions(jobs.command('release'))))
    .description('let held jobs go on, in their order, under their caps')
    .option('--everything', 'the hold on all jobs of all tenants, which a promoted cluster begins with')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs release --tenant acme --type bank-import')
    .action(async ({ tenant, type, key, as, everything, ...options }: ReleaseOptions) =>
      inSession(options, async ({ cf, out }) => {
        const at = everything ? {} : boundary({ tenant, type, key });
        const released = await cf.jobs.release(at, { as });
        out.result({ ...at, released }, () => [
          released ? `Released: ${describe(at)}.` : `There was no hold on ${describe(at)}.`,
        ]);
        if (!released) process.exitCode = 1;
      }),
    );

  withCommonOptions(jobs.command('holds'))
    .description('what is held, why, by whom and since when')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs holds')
    .action(async (options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const holds = await cf.jobs.holds();
        out.result({ holds }, () => holdsPage(holds));
      }),
    );

  withActor(withBoundary(withCommonOptions(jobs.command('limit'))))
    .description('set limits that go before the configuration’s, also for what is queued')
    .option('--in-flight <n>', 'most jobs in flight; 0 stops', wholeNumber)
    .option('--backlog <n>', 'most jobs of the tenant that may wait', wholeNumber)
    .option(
      '--weight <n>',
      'the tenant’s share of the slots relative to others’, whose weight is 1',
      positive,
    )
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs limit --tenant acme --in-flight 5 --weight 2')
    .action(async ({ tenant, type, as, inFlight, backlog, weight, ...options }: LimitOptions) =>
      inSession(options, async ({ cf, out }) => {
        if (inFlight === undefined && backlog === undefined && weight === undefined)
          throw new InvalidInputError('Give --in-flight, --backlog or --weight.');
        if (type !== undefined && (backlog !== undefined || weight !== undefined))
          throw new InvalidInputError('A backlog limit and a weight are a tenant’s, not a type’s.');
        await cf.jobs.setLimit({ tenant, type }, { inFlight, backlog, weight }, { as });
        out.result({ tenant, type, inFlight, backlog, weight }, () => [
          `Set for ${describe({ tenant, type })}.`,
        ]);
      }),
    );
}

function boundary(at: HoldBoundary): HoldBoundary {
  const { tenant, type, key } = at;
  if (tenant === undefined && type === undefined)
    throw new InvalidInputError('Give --tenant, --type or both.');
  if (key !== undefined && (tenant === undefined || type === undefined))
    throw new InvalidInputError('One job is named by --tenant, --type and --key.');
  return at;
}

function describe({ tenant, type, key }: HoldBoundary): string {
  if (key !== undefined) return `job ${type} ${key} of tenant ${tenant}`;
  const what = type === undefined ? 'all types' : `type ${type}`;
  return tenant === undefined ? `${what} of every tenant` : `${what} of tenant ${tenant}`;
}
