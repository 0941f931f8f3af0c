export { askWitness, type WitnessAddress } from './ask-witness';
export { type CollectorOptions, CosignatureCollector } from './cosignature-collector';
export { lookAtWitness, type WitnessView } from './look-at-witness';
export { serveWitness, type WitnessServer } from './serve-witness';
export { Witness, type WitnessAnswer } from './witness';
export { WitnessRefusedError } from './witness-refused-error';
export { WitnessState } from './witness-state';
