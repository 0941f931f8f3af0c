import { defineSearchAttributeKey } from '@temporalio/common';
import { fingerprint, IdempotencyKeyReusedError } from '../core/idempotency';
import { deferredJobId, type JobQueue, jobTaskQueue, type SubmitRequest } from '../core/jobs';
import type { DeferredJobInput } from '../core/jobs/types';
import { searchAttributeNames } from '../workflows/contract';
import { deferredJobWorkflowName, jobCapability } from '../workflows/job-contract';
import { RunExistsError } from './errors';
import type { TemporalLink } from './temporal-link';

/** What can be said of a job that waits outside of the queue. */
export type DeferRequest = Pick<SubmitRequest, 'tenant' | 'type' | 'key' | 'input' | 'priority'>;

/** Names in a workflow's memo which input it was started with. */
const FINGERPRINT = 'fingerprint';

/** Keeps a job in Temporal until the application's database takes it, for `JobsClient.defer`. */
export async function deferJob(link: TemporalLink, queue: JobQueue, request: DeferRequest): Promise<void> {
  const { tenant, type, key, priority } = request;
  const input = await queue.verify(request);
  const job: DeferredJobInput = { tenant, type, key, input, ...(priority ? { priority } : {}) };
  const workflowId = deferredJobId(job);
  try {
    await link.request(workflowId, () =>
      link.client.workflow.start(deferredJobWorkflowName, {
        workflowId,
        taskQueue: jobTaskQueue(link.taskQueue),
        args: [job],
        memo: { [FINGERPRINT]: fingerprint(input) },
        // What came to nothing may be asked for again; else it is the same job.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: `${type} ${key} of ${tenant}, for when the database takes it`,
        typedSearchAttributes: [
          { key: defineSearchAttributeKey(searchAttributeNames.tenant, 'KEYWORD'), value: tenant },
          {
            key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'),
            value: jobCapability,
          },
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof RunExistsError)) throw error;
    const { memo } = await link.request(workflowId, (handle) => handle.describe());
    if (memo?.[FINGERPRINT] !== fingerprint(input))
      throw new IdempotencyKeyReusedError({ tenant, scope: type, key });
  }
}
