import type { DomainNode, DomainNodes, Need } from './types';

/** What the platform knows without being told. */
export interface Discoveries {
  /** Types of jobs: each is a queue in the application's database. */
  readonly jobTypes?: readonly string[];
  /** Services that breakers guard. */
  readonly breakerServices?: readonly string[];
  /** Endpoints among which processes choose, by service. */
  readonly endpoints?: readonly { readonly service: string; readonly endpoint: string }[];
  /** Rate-limited or health-checked resources. */
  readonly resources?: readonly string[];
  /** Rows of the tenants' table. */
  readonly tenants?: number;
  /** Whether the configuration names rate limits over all processes, and a repository of backups. */
  readonly backups?: boolean;
}

export const APPLICATION_DATABASE = 'application-database';
export const PLATFORM_DATABASE = 'platform-database';
export const TEMPORAL = 'temporal';
export const ALL_TENANTS = 'tenants';

/** The queue of a type of job. */
export function jobNode(type: string): string {
  return `job:${type}`;
}

/** One of a service's endpoints. */
export function endpointNode(service: string, endpoint: string): string {
  return `endpoint:${service}/${endpoint}`;
}

const hard = (on: string): Need => ({ of: [on], atLeast: 1, strength: 'hard' });
const soft = (on: string): Need => ({ of: [on], atLeast: 1, strength: 'soft' });

/**
 * The parts that every deployment has, and those that were found: job types with what they run on, services behind breakers and their endpoints,
 * resources with limits. Which service calls which is not to be found out from outside: that is what declaring is for.
 */
export function discoverNodes(found: Discoveries): DomainNodes {
  const node = (kind: DomainNode['kind'], needs: readonly Need[], from: string, count = 1): DomainNode => ({
    kind,
    needs,
    traffic: 0,
    count,
    found: from,
  });
  const nodes = new Map<string, DomainNode>([
    [APPLICATION_DATABASE, node('database', [], 'application.database')],
    [PLATFORM_DATABASE, node('database', [], 'platform.database')],
    [TEMPORAL, node('service', [], 'temporal')],
  ]);
  if (found.backups === true) nodes.set('backup-repository', node('external', [], 'application.backup'));
  // Without Temporal they are taken and wait; without their database they cannot even be submitted.
  for (const type of found.jobTypes ?? [])
    nodes.set(jobNode(type), node('queue', [hard(APPLICATION_DATABASE), hard(TEMPORAL)], 'a job type'));
  for (const [service, endpoints] of byService(found.endpoints ?? [])) {
    for (const endpoint of endpoints) nodes.set(endpoint, node('external', [], 'an endpoint'));
    nodes.set(service, node('external', [{ of: endpoints, atLeast: 1, strength: 'hard' }], 'endpoints'));
  }
  for (const service of found.breakerServices ?? [])
    if (!nodes.has(service)) nodes.set(service, node('external', [], 'a breaker'));
  // A limit over all processes is kept in the control plane, and goes on by each process's share without it.
  for (const resource of found.resources ?? [])
    if (!nodes.has(resource))
      nodes.set(resource, node('service', [soft(PLATFORM_DATABASE)], 'a limited or checked resource'));
  if (found.tenants !== undefined && found.tenants > 0)
    nodes.set(ALL_TENANTS, node('tenant', [hard(APPLICATION_DATABASE)], 'tenancy.table', found.tenants));
  return Object.fromEntries(nodes);
}

/** Service → the parts that its endpoints are: any of them does. */
function byService(endpoints: NonNullable<Discoveries['endpoints']>): ReadonlyMap<string, readonly string[]> {
  const services = new Map<string, string[]>();
  for (const { service, endpoint } of endpoints)
    services.set(service, [...(services.get(service) ?? []), endpointNode(service, endpoint)]);
  return services;
}

/**
 * Declared parts, and those found beside them. What was declared wins; where tenants were declared nobody has to guess what
 * all tenants need.
 */
export function mergeNodes(declared: DomainNodes, found: DomainNodes): DomainNodes {
  const hasTenants = Object.values(declared).some(({ kind }) => kind === 'tenant');
  const beside = Object.entries(found).filter(
    ([name]) => !Object.hasOwn(declared, name) && !(hasTenants && name === ALL_TENANTS),
  );
  return { ...declared, ...Object.fromEntries(beside) };
}
