export { clusterRestore } from './cluster-restore';
export { recoveryDrill } from './recovery-drill';
export { recoveryPoint } from './recovery-point';
export { releaseRestore } from './release-restore';
export { scheduledJob } from './scheduled-job';
export { tenantJob } from './tenant-job';
export { tenantRestore } from './tenant-restore';
export { tenantUndo } from './tenant-undo';
