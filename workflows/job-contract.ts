import type { AttemptEnd } from '../core/jobs/types';

/** Names and shapes of what goes in and out of a job's workflow. */

export const jobWorkflowName = 'tenantJob';
/** Started by a tenant's schedule at its times. */
export const scheduledJobWorkflowName = 'scheduledJob';
/** Started for a job that the application's database cannot take yet. */
export const deferredJobWorkflowName = 'deferredJob';

export const jobMessageNames = {
  /** Signal without argument: a permit is reserved for the job, so that its next attempt can begin. */
  admit: 'admit',
  /** Query. */
  status: 'status',
} as const;

/** Value of the search attribute `Capability`. */
export const jobCapability = 'jobs';

/** Answer of the query `status`: how the last attempt ended, or that the first one is under way. */
export interface JobRunStatus {
  readonly attempts: number;
  readonly last: AttemptEnd | { readonly kind: 'none' };
}

/** What the workflow returns; the job's own result is in the database. */
export interface JobRunReport {
  readonly outcome: 'done';
}
