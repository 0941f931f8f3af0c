import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ActivityCancellationType,
  proxyActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Acknowledgement, DegradationActivities, LevelPublication } from '../activities/types';
import { searchAttributeNames } from './contract';
import { degradationCapability, type TransitionReport } from './degradation-contract';

/** How long processes are waited for each time, and how long it pauses before it reminds the stragglers: two minutes in all. */
const WAITS_MS = [5_000, 10_000, 10_000, 20_000] as const;
const PAUSES_MS = [5_000, 20_000, 60_000] as const;

function steps(summary: string) {
  return proxyActivities<DegradationActivities>({
    summary,
    startToCloseTimeout: '1m',
    heartbeatTimeout: '10s',
    // The control plane may be away for minutes; a change that comes too late by then is superseded.
    scheduleToCloseTimeout: '12h',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      maximumAttempts: 5_000,
    },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/**
 * One change of a level, from its publication to the last process that has applied it. It is never taken back: a process that
 * cannot follow is named, and reminded, while all others are at the new level.
 */
export async function degradationTransition(input: LevelPublication): Promise<TransitionReport> {
  const { scope, level, transition } = input;
  const { version } = transition;
  show('publishing', `${transition.reason} (${transition.by})`);
  const current = await steps(`Publish ${level}`).publishLevel(input);
  if (!current) return end({ superseded: true, processes: 0, stragglers: [] });
  show('verifying', `${level} is published; waiting for the processes.`);
  let found: Acknowledgement = { superseded: false, processes: 0, stragglers: [] };
  for (const [round, limitMs] of WAITS_MS.entries()) {
    const remind = round > 0;
    if (remind) await sleep(PAUSES_MS[round - 1] ?? 0);
    found = await steps(remind ? 'Remind the stragglers' : 'Wait for the processes').awaitAcknowledged({
      scope,
      version,
      limitMs,
      remind,
    });
    if (found.superseded || found.stragglers.length === 0) break;
    show('verifying', `Not yet at ${level}: ${found.stragglers.map(({ name }) => name).join(', ')}`);
  }
  await steps('Record who has applied it').recordAcknowledgement({ scope, version, ...found });
  return end(found);
}

function end({ superseded, processes, stragglers }: Acknowledgement): TransitionReport {
  const outcome = superseded ? 'superseded' : stragglers.length > 0 ? 'stragglers' : 'applied';
  upsertSearchAttributes([
    { key: defineSearchAttributeKey(searchAttributeNames.outcome, 'KEYWORD'), value: outcome },
  ]);
  setCurrentDetails(
    outcome === 'stragglers'
      ? `Not applied by ${stragglers.map(({ name, why }) => `${name} (${why})`).join(', ')}.`
      : `${outcome}, ${processes} processes.`,
  );
  return { outcome, processes, stragglers };
}

function show(phase: string, details: string): void {
  upsertSearchAttributes([
    {
      key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'),
      value: degradationCapability,
    },
    { key: defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD'), value: phase },
  ]);
  setCurrentDetails(details);
}
