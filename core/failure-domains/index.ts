export { type Discoveries, discoverNodes, mergeNodes } from './discover.pure';
export { drawDot, drawMermaid } from './draw.pure';
export {
  type ContainmentOperations,
  FailureDomainManager,
  type StartedContainment,
  type TenantIsolation,
} from './failure-domain-manager';
export { readDiscoveries } from './read-discoveries';
export type * from './types';
export { UnknownDomainError } from './unknown-domain-error';
