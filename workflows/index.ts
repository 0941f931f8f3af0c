export { clusterRestore } from './cluster-restore';
export { recoveryPoint } from './recovery-point';
export { tenantRestore } from './tenant-restore';
export { tenantUndo } from './tenant-undo';
