import { workflowIdPart } from '../workflow-id';

export { workflowIdPart };

/** `restore/<tenant>/<request>` */
export function restoreWorkflowId(tenant: string, request: string): string {
  return `restore/${workflowIdPart(tenant)}/${workflowIdPart(request)}`;
}

/**
 * `undo/<tenant>/<restoreId>`: a restore is undone once. Another try, after one that was rejected or failed, has a name
 * of its own: `undo/<tenant>/<restoreId>/<request>`.
 */
export function undoWorkflowId(tenant: string, restoreId: string, request?: string): string {
  const id = `undo/${workflowIdPart(tenant)}/${workflowIdPart(restoreId)}`;
  return request === undefined ? id : `${id}/${workflowIdPart(request)}`;
}

/** `drill/<request>`: the tenant may be chosen only when it runs. */
export function drillWorkflowId(request: string): string {
  return `drill/${workflowIdPart(request)}`;
}

/** `release/<restoreId>` */
export function releaseWorkflowId(restoreId: string): string {
  return `release/${workflowIdPart(restoreId)}`;
}

/** `recovery-point/<name>` */
export function recoveryPointWorkflowId(name: string): string {
  return `recovery-point/${workflowIdPart(name)}`;
}

/** `restore-cluster/<request>` */
export function clusterRestoreWorkflowId(request: string): string {
  return `restore-cluster/${workflowIdPart(request)}`;
}
