export { CheckTimeoutError } from './check-timeout-error';
export type { OutlierPolicy } from './endpoint/endpoint.pure';
export { EndpointSet, type EndpointSetOptions } from './endpoint/endpoint-set';
export { HealthMonitor } from './health-monitor';
export { type HealthAnswer, healthAnswer } from './http-answer';
export type { Check, CheckOptions, HealthOptions } from './options';
export type { ComponentChange, ComponentReport, HealthReport } from './report';
