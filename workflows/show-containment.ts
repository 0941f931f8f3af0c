import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { describeTarget, tenantOf } from '../core/containment/plan.pure';
import type { ContainmentInput } from '../core/containment/types';
import { type ContainmentStatus, containmentCapability } from './containment-contract';
import { searchAttributeNames } from './contract';

/** What lists, searches and the Web UI show of a containment. */
export function showContainment(
  { target, reason, requestedBy }: ContainmentInput,
  status: ContainmentStatus,
): void {
  const key = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');
  const tenant = tenantOf(target);
  const pairs: SearchAttributeUpdatePair[] = [
    { key: key(searchAttributeNames.capability), value: containmentCapability },
    { key: key(searchAttributeNames.phase), value: status.phase },
  ];
  if (tenant !== undefined) pairs.push({ key: key(searchAttributeNames.tenant), value: tenant });
  if (status.outcome !== undefined)
    pairs.push({ key: key(searchAttributeNames.outcome), value: status.outcome });
  upsertSearchAttributes(pairs);
  const lines = [
    `**${describeTarget(target)}**, ${status.phase}${status.outcome === undefined ? '' : `: ${status.outcome}`}`,
    `Asked for by ${requestedBy}: ${reason}`,
    ...(status.id === undefined ? [] : [`End it now: \`chronawflow contain release ${status.id}\``]),
    ...status.notices.map((notice) => `! ${notice}`),
  ];
  setCurrentDetails(lines.join('\n\n'));
}
