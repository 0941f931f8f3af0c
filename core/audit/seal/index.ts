export { type LogKeys, LogSigner, verifierOf } from './log-signer';
export { type SealedBatch, sealBatch } from './seal-batch';
export { Sealer, type SealerOptions } from './sealer';
