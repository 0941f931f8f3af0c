import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { JobRef } from '../core/jobs/types';
import { searchAttributeNames } from './contract';
import { jobCapability } from './job-contract';

/**
 * What the Web UI shows of a job that did not go straight through. Whoever starts the workflow sets tenant and capability;
 * a job whose first attempt succeeds needs no more than Temporal's own status, and saves the write.
 */
export function showJob(
  job: JobRef,
  shown: {
    readonly phase?: 'waiting' | 'running';
    readonly outcome?: 'dead' | 'cancelled';
    readonly details: string;
  },
): void {
  const pairs: SearchAttributeUpdatePair[] = [
    { key: defineSearchAttributeKey(searchAttributeNames.tenant, 'KEYWORD'), value: job.tenant },
    { key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'), value: jobCapability },
  ];
  if (shown.phase !== undefined)
    pairs.push({ key: defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD'), value: shown.phase });
  if (shown.outcome !== undefined)
    pairs.push({
      key: defineSearchAttributeKey(searchAttributeNames.outcome, 'KEYWORD'),
      value: shown.outcome,
    });
  upsertSearchAttributes(pairs);
  setCurrentDetails(shown.details);
}
