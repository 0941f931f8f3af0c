export { endsAtMs, overBecause } from './due.pure';
export { flushDirectory } from './durable-file';
export { bootId, type HostTime, hostTime } from './host-clock';
export { LeaseJournal, type UnreadableLease } from './journal';
export { type EndedLease, type EndReason, type FaultLease, faultLease, leaseId } from './lease';
export { type AuthorizeFault, LeaseStore, type StoredLease } from './lease-store';
export { isAlive, killProcess, type ProcessRef, processRef, refOf, signalProcess } from './process-ref';
