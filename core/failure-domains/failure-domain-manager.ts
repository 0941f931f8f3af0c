import { z } from 'zod';
import { failureDomainsConfig } from '../../config';
import { InvalidInputError } from '../errors';
import { blastRadius } from './blast-radius.pure';
import { type Discoveries, discoverNodes, mergeNodes } from './discover.pure';
import { buildGraph, type DomainGraph } from './graph.pure';
import type { BlastRadius, DomainNodes } from './types';
import { UnknownDomainError } from './unknown-domain-error';

/** How the manager starts a containment; implemented by whoever can start workflows (client/). */
export interface ContainmentOperations<Request, Run> {
  contain(request: Request): Promise<Run>;
}

/** The least that isolating one tenant takes. */
export interface TenantIsolation {
  readonly tenant: string;
  readonly reason: string;
  /** How long at the longest, such as `15m`; default the configuration's. */
  readonly for?: string | number;
  readonly requestedBy?: string;
}

type IsolateTenant = TenantIsolation & { readonly strategy: 'isolate-tenant' };

/**
 * The failure domains of a deployment: what a failure takes down, and how to contain it. The graph is decided here, in the
 * process; containment is a durable workflow, the same that `chronawflow contain` starts.
 *
 * @example
 * const domains = new FailureDomainManager({ nodes: {
 *   web: { kind: 'service', needs: ['db', { on: 'cache', strength: 'soft' }], traffic: 100 },
 *   db: { kind: 'database' }, cache: { kind: 'cache' },
 * } });
 * domains.calculateBlastRadius('cache').hits; // cache is down, web is impaired
 */
export class FailureDomainManager<Request = never, Run = never> {
  readonly nodes: DomainNodes;
  private readonly graph: DomainGraph;

  /**
   * @param declared the section `failureDomains` of the configuration, or the same written in code
   * @param found what the platform knows by itself; left out where the section says `discover: false`
   * @throws InvalidInputError naming the part whose need cannot be met, or the cycle
   */
  constructor(
    declared: z.input<typeof failureDomainsConfig>,
    found: Discoveries = {},
    private readonly containment?: ContainmentOperations<Request | IsolateTenant, Run>,
  ) {
    const parsed = failureDomainsConfig.safeParse(declared);
    if (!parsed.success)
      throw new InvalidInputError(`failureDomains: ${z.prettifyError(parsed.error)}`, {
        hint: 'docs/resilience/failure-domains.md shows the section.',
      });
    const { nodes, discover } = parsed.data;
    this.nodes = discover ? mergeNodes(nodes, discoverNodes(found)) : nodes;
    this.graph = buildGraph(this.nodes);
  }

  /**
   * What is hit when these parts fail together, with the path that explains each hit.
   *
   * @throws UnknownDomainError
   */
  calculateBlastRadius(...failed: readonly string[]): BlastRadius {
    const { names, numbers } = this.graph;
    return blastRadius(
      this.graph,
      failed.map((name) => {
        const number = numbers.get(name);
        if (number === undefined) throw new UnknownDomainError(name, names);
        return number;
      }),
    );
  }

  /**
   * Keeps one tenant from harming the others: its writes, jobs and calls are refused for a time.
   *
   * @throws InvalidInputError when the manager was made without the means to start workflows
   */
  isolateTenantFailure(request: TenantIsolation): Promise<Run> {
    return this.operations().contain({ strategy: 'isolate-tenant', ...request });
  }

  /** Starts any of the strategies of containment. @throws InvalidInputError as `isolateTenantFailure` */
  applyContainmentStrategy(request: Request): Promise<Run> {
    return this.operations().contain(request);
  }

  private operations(): ContainmentOperations<Request | IsolateTenant, Run> {
    if (this.containment !== undefined) return this.containment;
    throw new InvalidInputError('This FailureDomainManager only calculates: it cannot start workflows.', {
      hint: 'Take `failureDomains` of a connected Chronawflow.',
    });
  }
}
