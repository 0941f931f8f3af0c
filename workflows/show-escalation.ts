import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { EscalationInput } from '../core/escalation/types';
import { searchAttributeNames } from './contract';
import { type EscalationStatus, escalationCapability } from './escalation-contract';

/**
 * What lists, searches and the Web UI show of an escalation.
 *
 * @param shown the phase that was shown last. @returns the one that is shown now
 */
export function showEscalation(alert: EscalationInput, status: EscalationStatus, shown: string): string {
  const { state, level, by, id, times, silenced, notices } = status;
  const phase = silenced ? 'silenced' : `${state} at level ${level}`;
  // Attributes are written to history: only when they change.
  if (phase !== shown) {
    const key = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');
    const pairs: SearchAttributeUpdatePair[] = [
      { key: key(searchAttributeNames.capability), value: escalationCapability },
      { key: key(searchAttributeNames.phase), value: phase },
    ];
    const { tenant } = alert.labels;
    if (tenant !== undefined && tenant !== '')
      pairs.push({ key: key(searchAttributeNames.tenant), value: tenant });
    upsertSearchAttributes(pairs);
  }
  const lines = [
    `**${alert.summary}** (${alert.severity})`,
    `${phase}${by === undefined ? '' : `, taken by ${by}`}; told of ${times} times`,
    ...(alert.runbook === undefined ? [] : [`[Runbook](${alert.runbook})`]),
    ...(id === undefined ? [] : [`Take it: \`chronawflow escalation ack ${id}\``]),
    ...notices.map((notice) => `! ${notice}`),
  ];
  setCurrentDetails(lines.join('\n\n'));
  return phase;
}
