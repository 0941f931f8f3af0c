import type { Command } from 'commander';
import { InvalidInputError } from '../../../core/errors';
import type { Boundary, HoldBoundary } from '../../../core/jobs';
import { holdsPage } from '../pages/jobs-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { positive, withActor, withBoundary, withHoldBoundary, withRate } from './options';

interface ActorOptions extends CommonOptions {
  readonly as: string;
}

interface HoldOptions extends ActorOptions, HoldBoundary {}

interface RateOption {
  readonly rate?: number;
}

interface ReleaseOptions extends HoldOptions, RateOption {
  readonly everything?: boolean;
}

interface LimitOptions extends ActorOptions, Boundary {
  readonly inFlight?: number;
  readonly backlog?: number;
  readonly weight?: number;
}

/** `chronawflow jobs quarantine|release|pause|resume|holds|limit` */
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
          const stopsCore = await cf.jobs.coreTypes(at);
          out.result({ ...at, held: true, fresh, stopsCore }, () => [
            `${fresh ? 'Held' : 'Was held already'}: ${describe(at)}.`,
            ...coreLine(stopsCore),
          ]);
        }),
    );

  withRate(withActor(withHoldBoundary(withCommonOptions(jobs.command('release')))))
    .description('let quarantined jobs go on, in their order, under their caps')
    .option('--everything', 'the hold on all jobs of all tenants, which a promoted cluster begins with')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow jobs release --tenant acme --type bank-import --rate 10/s',
    )
    .action(async ({ tenant, type, key, as, rate, everything, ...options }: ReleaseOptions) =>
      inSession(options, async ({ cf, out }) => {
        const at = everything ? {} : boundary({ tenant, type, key });
        const released = await cf.jobs.release(at, { as, perSecond: rate });
        out.result({ ...at, released, perSecond: rate }, () => [
          released ? `Released: ${describe(at)}.` : `There was no hold on ${describe(at)}.`,
        ]);
        if (!released) process.exitCode = 1;
      }),
    );

  withActor(withCommonOptions(jobs.command('pause')))
    .description('keep all jobs of a tenant back until it is resumed; what runs goes on, nothing is lost')
    .argument('<tenant>', 'the tenant’s key')
    .option('--reason <text>', 'why, shown with every job that waits', 'paused')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs pause acme --reason "moves to another bank"')
    .action(async (tenant: string, { as, reason, ...options }: ActorOptions & { readonly reason: string }) =>
      inSession(options, async ({ cf, out }) => {
        const fresh = await cf.jobs.pause(tenant, { as, reason });
        const stopsCore = await cf.jobs.coreTypes({ tenant });
        out.result({ tenant, paused: true, fresh, stopsCore }, () => [
          `${fresh ? 'Paused' : 'Was paused already'}: ${tenant}.`,
          ...coreLine(stopsCore),
        ]);
      }),
    );

  withRate(withActor(withCommonOptions(jobs.command('resume'))))
    .description('end a tenant’s pause; what is quarantined stays so')
    .argument('<tenant>', 'the tenant’s key')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs resume acme --rate 10/s')
    .action(async (tenant: string, { as, rate, ...options }: ActorOptions & RateOption) =>
      inSession(options, async ({ cf, out }) => {
        const resumed = await cf.jobs.resume(tenant, { as, perSecond: rate });
        out.result({ tenant, resumed, perSecond: rate }, () => [
          resumed ? `Resumed: ${tenant}.` : `${tenant} is not paused.`,
        ]);
        if (!resumed) process.exitCode = 1;
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

function coreLine(types: readonly string[]): string[] {
  return types.length === 0 ? [] : [`This stops core types: ${types.join(', ')}.`];
}

function describe({ tenant, type, key }: HoldBoundary): string {
  if (key !== undefined) return `job ${type} ${key} of tenant ${tenant}`;
  const what = type === undefined ? 'all types' : `type ${type}`;
  return tenant === undefined ? `${what} of every tenant` : `${what} of tenant ${tenant}`;
}
