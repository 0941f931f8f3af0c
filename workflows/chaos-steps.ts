import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { ChaosActivities } from '../core/chaos/types';

type Steps = ActivityInterfaceFor<ChaosActivities>;

/**
 * Two and a half heartbeats of activities/step-control.ts: the worker of a fault should be missed soon. A machine that stands still for
 * longer loses an attempt, and the next one goes on.
 */
const heartbeatTimeout = '5s';

/**
 * Where there is no next attempt: a pause of 5 s, three times, beside the two heartbeats that may be on their way. That a dead worker is
 * missed later costs nothing but time, since faults end with their leases whoever dies.
 */
const patientHeartbeatTimeout = '20s';

/** The host's worker may be started again meanwhile; its guards end the faults in any case. */
const scheduleToStartTimeout = '5m';

const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** On the controllers' queue: finds the host. A refusal is final, a database that is away is waited for. */
export function check(summary: string): Steps {
  return proxyActivities<ChaosActivities>({
    summary,
    startToCloseTimeout: '2m',
    scheduleToCloseTimeout: '10m',
    heartbeatTimeout,
    retry: { ...retry, maximumAttempts: 10 },
  });
}

/** What can be asked again without harm. */
export function repeated(taskQueue: string, summary: string, limitMs: number | '2m' = '2m'): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, scheduleToStartTimeout, heartbeatTimeout },
    startToCloseTimeout: limitMs,
    retry: { ...retry, maximumAttempts: 5 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** An action may have had its effect although its answer was lost: it is not repeated. */
export function once(taskQueue: string, summary: string): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, scheduleToStartTimeout, heartbeatTimeout: patientHeartbeatTimeout },
    startToCloseTimeout: '10m',
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/**
 * One of the experiment's own rollbacks: tried again when it fails or is lost with its worker, and waited for when nobody is there
 * to run it. So it may be carried out more than once.
 */
export function rollback(taskQueue: string, summary: string): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, heartbeatTimeout },
    startToCloseTimeout: '10m',
    scheduleToCloseTimeout: '24h',
    retry: { ...retry, maximumAttempts: 1_000 },
  });
}

/** Asks again and again on its side, so long at most. */
export function waiting(taskQueue: string, summary: string, limitMs: number): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, scheduleToStartTimeout, heartbeatTimeout },
    // One last look may take as long as a probe's own limit.
    startToCloseTimeout: limitMs + 60_000,
    retry: { ...retry, maximumAttempts: 3 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Runs until it is cancelled. */
export function watching(taskQueue: string, summary: string, limitMs: number): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, heartbeatTimeout },
    startToCloseTimeout: limitMs,
    retry: { initialInterval: '200ms', backoffCoefficient: 1, maximumAttempts: 1_000 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Inside a non-cancellable scope. Patient: until it is done the workflow cannot say that nothing is left. */
export function cleanUpFaults(taskQueue: string, summary: string): Steps {
  return proxyActivities<ChaosActivities>({
    ...{ summary, taskQueue, heartbeatTimeout },
    startToCloseTimeout: '5m',
    scheduleToCloseTimeout: '30m',
    retry: { ...retry, maximumAttempts: 1_000 },
  });
}
