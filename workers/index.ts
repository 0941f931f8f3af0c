export {
  type ChronawflowWorker,
  type CreateWorkerOptions,
  createWorker,
  type RecoveryParts,
} from './create-worker';
export { recoveryParts } from './recovery-parts';
