import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type ContainmentRequest, describeTarget } from '../../core/containment';
import { currentOperator } from '../operator';
import { confirm } from './confirm';
import { registerList } from './list-command';
import { containmentPage, containmentsPage } from './pages/containments-page';
import { type CommonOptions, inSession, type Session, withCommonOptions } from './session';

interface ContainOptions extends CommonOptions {
  readonly reason: string;
  readonly for?: string;
  readonly as: string;
  readonly yes?: boolean;
}

/** Applying takes seconds, except where a gate waits for the tenant's open transactions. */
const LOOK_EVERY_MS = 250;
const LOOK_LIMIT_MS = 60_000;

/** `chronawflow contain tenant|breaker|queue|endpoint|list|release` */
export function registerContain(program: Command): void {
  const contain = program
    .command('contain')
    .description('keep a failure from going further, for a limited time, and undo it exactly');

  withContainment(contain.command('tenant'))
    .description('isolate one tenant: its writes, jobs and calls are refused, its requests held to a floor')
    .argument('<tenant>', 'the tenant’s key')
    .option('--read-only', 'refuse its writes and hold its jobs, and let it read without limit')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow contain tenant acme --for 15m --reason "runs the database hot"',
    )
    .action(
      async (tenant: string, { readOnly, ...options }: ContainOptions & { readonly readOnly?: boolean }) =>
        run(options, { strategy: readOnly === true ? 'read-only' : 'isolate-tenant', tenant }),
    );

  withContainment(contain.command('breaker'))
    .description('refuse all calls of a service’s operation, of one tenant or of those that belong to none')
    .argument('<service>', 'the service, as its breakers name it')
    .argument('<operation>', 'the operation')
    .option('--tenant <key>', 'calls of this tenant', '')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow contain breaker tax rate --for 10m --reason "answers with nonsense"',
    )
    .action(
      async (
        service: string,
        operation: string,
        { tenant, ...options }: ContainOptions & { readonly tenant: string },
      ) => run(options, { strategy: 'open-breaker', service, operation, tenant }),
    );

  withContainment(contain.command('queue'))
    .description('hold jobs: of a type, of a tenant, or of a type of a tenant')
    .option('--type <type>', 'of this type')
    .option('--tenant <key>', 'of this tenant')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow contain queue --type invoice-run --for 1h --reason "wrong tax rate"',
    )
    .action(
      async ({
        type,
        tenant,
        ...options
      }: ContainOptions & { readonly type?: string; readonly tenant?: string }) =>
        run(options, { strategy: 'hold-queue', type, tenant }),
    );

  withContainment(contain.command('endpoint'))
    .description(
      'drain one endpoint of a service: it gets nothing new, what is under way there ends by itself',
    )
    .argument('<service>', 'the service, as processes follow it')
    .argument('<endpoint>', 'the endpoint')
    .option('--redirect <endpoint>', 'takes over, beside the service’s others')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow contain endpoint tax https://a.example --redirect https://c.example --reason "disk is failing"',
    )
    .action(
      async (
        service: string,
        endpoint: string,
        { redirect, ...options }: ContainOptions & { readonly redirect?: string },
      ) => run(options, { strategy: 'drain-endpoint', service, endpoint, redirect }),
    );

  registerList(contain, {
    description: 'what is contained now, by whom, why and until when',
    example: 'chronawflow contain list',
    limit: 100,
    read: async (cf, which) => ({ containments: await cf.containment.list(which) }),
    page: ({ containments }) => containmentsPage(containments),
  });

  withCommonOptions(contain.command('release'))
    .description('undo a containment now')
    .argument('<id>', 'its ID, as `contain list` shows it')
    .option('--as <name>', 'who does it, for the audit log', currentOperator())
    .option('--reason <text>', 'why')
    .addHelpText('after', '\nExample:\n  $ chronawflow contain release c0123456789ab')
    .action(
      async (
        id: string,
        { as, reason, ...options }: CommonOptions & { readonly as: string; readonly reason?: string },
      ) =>
        inSession(options, async ({ cf, out }) => {
          await cf.containment.release(id, { as, reason });
          out.result({ id, released: true }, () => [`Released: what ${id} applied is undone.`]);
        }),
    );
}

function withContainment(command: Command): Command {
  return withCommonOptions(command)
    .requiredOption('--reason <text>', 'why; everybody whom it stops can read it')
    .option('--for <time>', 'how long, such as 15m; default containment.for')
    .option('--as <name>', 'who does it, for the audit log', currentOperator())
    .option('--yes', 'do not ask');
}

type Target = Parameters<typeof describeTarget>[0];

async function run(
  { reason, for: time, as, yes, ...options }: ContainOptions,
  target: Target,
): Promise<void> {
  await inSession(options, async (session) => {
    const { cf, out } = session;
    const until = time ?? `${cf.config.containment.for} ms`;
    out.page([`For ${until}: ${describeTarget(target)}.`]);
    await confirm('Contain it?', 'contain', yes);
    const request: ContainmentRequest = {
      ...target,
      reason,
      requestedBy: as,
      ...(time === undefined ? {} : { for: time }),
    };
    const started = await cf.containment.contain(request);
    await applied(session, started.id, () => started.status());
    const { id, workflowId, webUrl } = started;
    const status = await started.status();
    if (status.outcome !== undefined) await started.result();
    out.result({ id, workflowId, webUrl, status }, () => containmentPage({ id, workflowId, webUrl }, status));
  });
}

/** Waits until what was asked for holds, or it is known that it does not. */
async function applied(
  { out }: Session,
  id: string,
  look: () => Promise<{ readonly phase: string; readonly outcome?: string }>,
): Promise<void> {
  const limit = Date.now() + LOOK_LIMIT_MS;
  for (;;) {
    const { phase, outcome } = await look();
    if (outcome !== undefined || phase === 'holding' || phase === 'done') return;
    if (Date.now() > limit) {
      out.note(`${id} is still being applied; \`chronawflow contain list\` shows how far it is.`);
      return;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
