export { type AbortReport, abortAll } from './abort-all';
export {
  ChaosEngineeringManager,
  type ChaosOperations,
  type ChaosRunHandle,
  type ChaosRunRequest,
  type SingleFault,
} from './chaos-engineering-manager';
export { type AnyDriver, FaultDrivers, hostDrivers, type QueueFlooding } from './drivers';
export { type EndOptions, endFault } from './end-fault';
export * from './errors';
export * from './experiment';
export { type ChaosPrograms, chaosPrograms, Guard, keepGuard, readGuard, stopGuards } from './guard';
export { type ChaosHost, type ResolvedFault, resolveFault } from './host';
export { type FaultRequest, injectFault } from './inject-fault';
export {
  experimentHash,
  runParameters,
  scheduleOwner,
  scheduleParameters,
  tenantOfExperiment,
} from './intent-parameters.pure';
export {
  type AuthorizeFault,
  type EndedLease,
  type EndReason,
  type FaultLease,
  hostTime,
  LeaseJournal,
  LeaseStore,
  type StoredLease,
} from './lease';
export { type LoadResult, openLoop, percentile } from './load';
export {
  checkTargets,
  describePlan,
  leaseIdOf,
  methodRoomMs,
  plannedFaults,
  plannedSteps,
  safetyPlan,
} from './plan-experiment';
export {
  type ChaosRunEntry,
  ChaosRunStore,
  type ExperimentJournal,
  experimentJournal,
  shortfall,
} from './report';
export { countFaults, type FaultCount, watchFaults } from './residual-faults';
export { runFault } from './run-fault';
export * from './safety';
export { injectionStep, methodStep } from './step-names.pure';
export * from './suite';
export { resourceOf } from './targets';
