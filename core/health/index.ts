export { CheckTimeoutError } from './check-timeout-error';
export type { OutlierPolicy } from './endpoint/endpoint.pure';
export { EndpointDrains, type EndpointDrainsOptions } from './endpoint/endpoint-drains';
export { EndpointSet, type EndpointSetOptions } from './endpoint/endpoint-set';
export { type KnownEndpoint, readEndpoints } from './endpoint/known-endpoints';
export {
  type DrainedEndpoint,
  type DrainProgress,
  drainProgress,
  endDrain,
  leaseDrain,
} from './endpoint/leased-drain';
export { HealthMonitor } from './health-monitor';
export { type HealthAnswer, healthAnswer } from './http-answer';
export type { Check, CheckOptions, HealthOptions } from './options';
export type { ComponentChange, ComponentReport, HealthReport } from './report';
