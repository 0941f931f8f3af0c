import type { Command } from 'commander';
import type { BlastRadius } from '../../core/failure-domains';
import { drawDot, drawMermaid, UnknownDomainError } from '../../core/failure-domains';
import { blastPage, domainPage, domainsPage } from './pages/domains-page';
import { type CommonOptions, inSession, withCommonOptions } from './session';

interface DrawOptions extends CommonOptions {
  readonly dot?: boolean;
  readonly mermaid?: boolean;
}

/** An outage is when the graph is asked: Temporal may be away. */
const WITHOUT_TEMPORAL = { whenTemporalIsAway: 'outbox' } as const;

/** `chronawflow domains list|show|blast` */
export function registerDomains(program: Command): void {
  const domains = program
    .command('domains')
    .description('failure domains: what depends on what, and what goes down with it');

  withDrawing(withCommonOptions(domains.command('list')))
    .description('all parts: declared ones, and those that the platform found')
    .addHelpText('after', '\nExample:\n  $ chronawflow domains list --dot | dot -Tsvg > domains.svg')
    .action(async ({ dot, mermaid, ...options }: DrawOptions) =>
      inSession(
        options,
        async ({ cf, out }) => {
          const { nodes } = await cf.failureDomains();
          out.result({ nodes }, () => drawing({ dot, mermaid }, nodes) ?? domainsPage(nodes));
        },
        WITHOUT_TEMPORAL,
      ),
    );

  withCommonOptions(domains.command('show'))
    .description('one part: what it needs, and what needs it')
    .argument('<part>', 'its name')
    .addHelpText('after', '\nExample:\n  $ chronawflow domains show application-database')
    .action(async (name: string, options: CommonOptions) =>
      inSession(
        options,
        async ({ cf, out }) => {
          const { nodes } = await cf.failureDomains();
          const node = nodes[name];
          if (node === undefined) throw new UnknownDomainError(name, Object.keys(nodes));
          const neededBy = Object.entries(nodes)
            .filter(([, { needs }]) => needs.some(({ of }) => of.includes(name)))
            .map(([other]) => other);
          out.result({ name, ...node, neededBy }, () => domainPage(name, node, neededBy));
        },
        WITHOUT_TEMPORAL,
      ),
    );

  withDrawing(withCommonOptions(domains.command('blast')))
    .description('what is hit when these parts fail together, and why')
    .argument('<part...>', 'names of the parts that fail')
    .addHelpText('after', '\nExample:\n  $ chronawflow domains blast application-database')
    .action(async (names: readonly string[], { dot, mermaid, ...options }: DrawOptions) =>
      inSession(
        options,
        async ({ cf, out }) => {
          const manager = await cf.failureDomains();
          const radius = manager.calculateBlastRadius(...names);
          out.result(radius, () => drawing({ dot, mermaid }, manager.nodes, radius) ?? blastPage(radius));
        },
        WITHOUT_TEMPORAL,
      ),
    );
}

function withDrawing(command: Command): Command {
  return command
    .option('--dot', 'print it in Graphviz’ language')
    .option('--mermaid', 'print it in Mermaid’s language');
}

function drawing(
  { dot, mermaid }: Pick<DrawOptions, 'dot' | 'mermaid'>,
  nodes: Parameters<typeof drawDot>[0],
  radius?: BlastRadius,
): string[] | undefined {
  if (dot === true) return [drawDot(nodes, radius)];
  return mermaid === true ? [drawMermaid(nodes, radius)] : undefined;
}
