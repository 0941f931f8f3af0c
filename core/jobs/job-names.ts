import { createHash } from 'node:crypto';
import { workflowIdPart } from '../workflow-id';
import type { JobRef } from './types';

/** `job/<tenant>/<type>/<key>` */
export function jobWorkflowId({ tenant, type, key }: JobRef): string {
  return `job/${[tenant, type, key].map(workflowIdPart).join('/')}`;
}

/** Temporal's limit for a fairness key, in bytes. */
const FAIRNESS_KEY_BYTES = 64;

/** The tenant's fairness key: its name, or the hash of a longer one. */
export function fairnessKey(tenant: string): string {
  if (Buffer.byteLength(tenant) <= FAIRNESS_KEY_BYTES) return tenant;
  return createHash('sha256').update(tenant).digest('hex');
}

/** The queue of jobs' workflows and attempts: their code must not take the slots of restores. */
export function jobTaskQueue(taskQueue: string): string {
  return `${taskQueue}-jobs`;
}
