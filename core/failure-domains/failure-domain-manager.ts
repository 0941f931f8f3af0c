import { z } from 'zod';
import { failureDomainsConfig } from '../../config';
import type { ContainmentRequest } from '../containment';
import { InvalidInputError } from '../errors';
import { blastRadius } from './blast-radius.pure';
import { type Discoveries, discoverNodes, mergeNodes } from './discover.pure';
import { buildGraph, type DomainGraph } from './graph.pure';
import type { BlastRadius, DomainNodes } from './types';
import { UnknownDomainError } from './unknown-domain-error';

/** What stands for a containment that was started. */
export interface StartedContainment {
  /** `c` and twelve hexadecimal digits, as `chronawflow contain list` shows it. */
  readonly id: string;
  readonly workflowId: string;
}

/** How the manager starts a containment; implemented by whoever can start workflows (client/). */
export interface ContainmentOperations<Run extends StartedContainment> {
  contain(request: ContainmentRequest): Promise<Run>;
}

/** What isolating one tenant takes. */
export type TenantIsolation = Omit<Extract<ContainmentRequest, { strategy: 'isolate-tenant' }>, 'strategy'>;

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
export class FailureDomainManager<Run extends StartedContainment = StartedContainment> {
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
    private readonly containment?: ContainmentOperations<Run>,
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

  /**
   * Starts any of the strategies of containment. What keeps it from being applied is told by the run.
   *
   * @throws InvalidInputError as `isolateTenantFailure`, and for a request that is none; RunExistsError, TemporalUnavailableError
   */
  applyContainmentStrategy(request: ContainmentRequest): Promise<Run> {
    return this.operations().contain(request);
  }

  private operations(): ContainmentOperations<Run> {
    if (this.containment !== undefined) return this.containment;
    throw new InvalidInputError('This FailureDomainManager only calculates: it cannot start workflows.', {
      hint: 'Take `failureDomains` of a connected Chronawflow.',
    });
  }
}
