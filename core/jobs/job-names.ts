import { createHash } from 'node:crypto';
import { workflowIdPart } from '../workflow-id';
import type { JobRef } from './types';

/** `job/<tenant>/<type>/<key>` */
export function jobWorkflowId({ tenant, type, key }: JobRef): string {
  return `job/${[tenant, type, key].map(workflowIdPart).join('/')}`;
}

/** `job-deferred/<tenant>/<type>/<key>`: of a job that waits until it can be put into the queue. */
export function deferredJobId({ tenant, type, key }: JobRef): string {
  return `job-deferred/${[tenant, type, key].map(workflowIdPart).join('/')}`;
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

/** Temporal's ID of a tenant's schedule, and the beginning of its runs'. */
export function jobScheduleId(tenant: string, name: string): string {
  return `${JOB_SCHEDULES}${workflowIdPart(tenant)}/${workflowIdPart(name)}`;
}

export const JOB_SCHEDULES = 'job-schedule/';

/** Key of the job of one of a schedule's times: `<name>/2026-11-26T03:00:00Z`. Schedules have whole seconds. */
export function scheduledKey(name: string, scheduledAt: string): string {
  return `${name}/${new Date(scheduledAt).toISOString().slice(0, 19)}Z`;
}
