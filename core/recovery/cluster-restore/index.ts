export { type ClusterRequest, type RestoredCluster, restoreCluster } from './restore-cluster';
