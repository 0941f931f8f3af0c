import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { JobActivities } from '../activities/types';
import type { DeferredJobInput } from '../core/jobs/types';

/**
 * A job that was taken while the application's database refused writes: it is kept here, and put into the queue as soon as the
 * database takes it. The queue knows it by its key, so that one that was submitted otherwise meanwhile is the same job.
 */
export async function deferredJob(input: DeferredJobInput): Promise<'submitted' | 'known'> {
  const { submitDeferredJob } = proxyActivities<JobActivities>({
    summary: `Submit ${input.type} for ${input.tenant}`,
    startToCloseTimeout: '30s',
    // Somebody was told that it will be done: as long as a person may need to bring a primary back, and longer.
    scheduleToCloseTimeout: '30d',
    retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '10s' },
  });
  setCurrentDetails(`Waits until the database takes job ${input.type} ${input.key}.`);
  const outcome = await submitDeferredJob(input);
  setCurrentDetails(`Job ${input.type} ${input.key}: ${outcome}.`);
  return outcome;
}
