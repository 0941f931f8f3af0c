import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { capability, searchAttributeNames } from './contract';

const tenantKey = defineSearchAttributeKey(searchAttributeNames.tenant, 'KEYWORD');
const capabilityKey = defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD');
const phaseKey = defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD');
const outcomeKey = defineSearchAttributeKey(searchAttributeNames.outcome, 'KEYWORD');

/** How lists and searches in the Web UI find a run. Set by the workflow, so that it does not matter who started it. */
export function showInSearch(values: {
  readonly tenant?: string;
  readonly phase?: string;
  readonly outcome?: string;
}): void {
  const pairs: SearchAttributeUpdatePair[] = [{ key: capabilityKey, value: capability }];
  if (values.tenant !== undefined) pairs.push({ key: tenantKey, value: values.tenant });
  if (values.phase !== undefined) pairs.push({ key: phaseKey, value: values.phase });
  if (values.outcome !== undefined) pairs.push({ key: outcomeKey, value: values.outcome });
  upsertSearchAttributes(pairs);
}
