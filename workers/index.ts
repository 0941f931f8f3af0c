export { type ChronawflowWorker, type CreateWorkerOptions, createWorker } from './create-worker';
export { type RecoveryParts, recoveryParts } from './recovery-parts';
