export { type AbortReport, abortAll } from './abort-all';
export { type AnyDriver, FaultDrivers } from './drivers';
export { type EndOptions, endFault } from './end-fault';
export * from './errors';
export { type ChaosPrograms, chaosPrograms, Guard, readGuard, startGuard } from './guard';
export { type ChaosHost, type ResolvedFault, resolveFault } from './host';
export { type FaultRequest, injectFault } from './inject-fault';
export {
  type EndedLease,
  type EndReason,
  type FaultLease,
  LeaseJournal,
  LeaseStore,
  type StoredLease,
} from './lease';
export { countFaults, type FaultCount, watchFaults } from './residual-faults';
export { runFault } from './run-fault';
