import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, WorkflowNotFoundError } from '@temporalio/common';
import { type ClaimedJob, fairnessKey, type Job, jobWorkflowId, STOP_GRACE_MS } from '../core/jobs';
import { searchAttributeNames } from '../workflows/contract';
import { jobCapability, jobMessageNames, jobWorkflowName } from '../workflows/job-contract';

/** Limit of an attempt of a type whose code is not here: the default timeout. */
const UNKNOWN_TIMEOUT_MS = 300_000;

/** Time for an attempt's own statements beside its code. */
const MARGIN_MS = 60_000;

const tenantKey = defineSearchAttributeKey(searchAttributeNames.tenant, 'KEYWORD');
const capabilityKey = defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD');

/**
 * Starts a claimed job's workflow, or wakes the one that waits. Whether the other one is needed shows by the answer: a
 * start may have been repeated, a workflow may have been terminated meanwhile.
 */
export function handOverTo(client: Client, taskQueue: string, jobs: ReadonlyMap<string, Job>) {
  const start = async (job: ClaimedJob, timeoutMs: number): Promise<void> => {
    const { tenant, type, key, priority, weight } = job;
    await client.workflow.start(jobWorkflowName, {
      workflowId: jobWorkflowId(job),
      taskQueue,
      args: [{ tenant, type, key, attemptLimitMs: timeoutMs + STOP_GRACE_MS + MARGIN_MS }],
      // The database decides which jobs there are; Temporal only forgets.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      // The answer brings the first workflow task along when this process has a slot for it: one way through the server's
      // queues less for each job. Whose turn it is was decided by the claim.
      requestEagerStart: true,
      staticSummary: `Job ${type} of ${tenant}`.slice(0, 200),
      typedSearchAttributes: [
        { key: tenantKey, value: tenant },
        { key: capabilityKey, value: jobCapability },
      ],
      priority: { priorityKey: priority, fairnessKey: fairnessKey(tenant), fairnessWeight: weight },
    });
  };
  const wake = async (job: ClaimedJob, timeoutMs: number): Promise<void> => {
    const handle = client.workflow.getHandle(jobWorkflowId(job));
    const { taskQueue: its, status } = await handle.describe();
    if (its === taskQueue && status.name === 'RUNNING') return handle.signal(jobMessageNames.admit);
    // The queue was renamed: no worker may be left that hears the signal. The job goes on by its row, not by its history.
    if (status.name === 'RUNNING') await handle.terminate(`The task queue of jobs is ${taskQueue} now.`);
    await start(job, timeoutMs);
  };

  return async (job: ClaimedJob): Promise<void> => {
    const timeoutMs = jobs.get(job.type)?.policy.timeoutMs ?? UNKNOWN_TIMEOUT_MS;
    try {
      await (job.started ? wake(job, timeoutMs) : start(job, timeoutMs));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) await start(job, timeoutMs);
      else if (error instanceof WorkflowExecutionAlreadyStartedError) await wake(job, timeoutMs);
      else throw error;
    }
  };
}
