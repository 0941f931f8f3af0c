import { defineSearchAttributeKey } from '@temporalio/common';
import { proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { JobActivities } from '../activities/types';
import type { ScheduledJobInput, ScheduledJobReport } from '../core/jobs/types';

/** Set by the server on what a schedule starts: the time of the plan, without jitter and however late it really is. */
const scheduledTime = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/**
 * What a tenant's schedule starts at its times: it puts the job of this time into the queue. The job's key is the time of the
 * plan, so that a run that is repeated or made up for is the same job.
 */
export async function scheduledJob(input: ScheduledJobInput): Promise<ScheduledJobReport> {
  const { typedSearchAttributes, startTime } = workflowInfo();
  const scheduledAt = (typedSearchAttributes.get(scheduledTime) ?? startTime).toISOString();
  const { submitScheduledJob } = proxyActivities<JobActivities>({
    summary: `Submit ${input.type} for ${input.tenant}`,
    startToCloseTimeout: '30s',
    // A full backlog or a database that is away passes; a day later somebody has to look.
    scheduleToCloseTimeout: '1d',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  });
  const report = await submitScheduledJob({ ...input, scheduledAt });
  setCurrentDetails(`Job ${input.type} ${report.key}: ${report.outcome}.`);
  return report;
}
