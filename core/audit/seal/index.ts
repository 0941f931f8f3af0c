export { type LogKeys, LogSigner, verifierOf } from './log-signer';
export { openPlatformLog, type SealedBatch, sealBatch } from './seal-batch';
export { Sealer, type SealerOptions } from './sealer';
