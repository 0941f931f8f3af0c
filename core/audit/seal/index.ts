export { type ExternalKey, ExternalSigner } from './external-signer';
export {
  type LogKeys,
  LogSigner,
  type LogVerifiers,
  originOf,
  verifierOf,
  verifiersOf,
} from './log-signer';
export { openPlatformLog, type SealedBatch, sealBatch } from './seal-batch';
export { type SealState, sealState } from './seal-state';
export { Sealer, type SealerOptions } from './sealer';
export { SealingWatch } from './sealing-watch';
