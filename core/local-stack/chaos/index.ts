export { type ChaosLayout, chaosLayout } from './layout.pure';
export { removeNetwork } from './own-network';
export { ownNetwork } from './own-network.pure';
export { releaseScratch } from './own-scratch';
export { anyChaosRuns, type ChaosAddition, chaosAddition } from './parts';
export { type ChaosPorts, chaosPorts, chooseChaosPorts } from './ports';
