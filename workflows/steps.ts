import type { RetryPolicy } from '@temporalio/common';
import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { RecoveryActivities, ScratchHost } from '../activities/types';

/**
 * How each kind of step is tried, and for how long. A database, a worker or Temporal itself may be away for minutes;
 * attempts with a pause of at most 30 s survive about an hour of that. Refusals are not tried again: the activity marks
 * them non-retryable.
 */
const retry: RetryPolicy = {
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 120,
};

/** Clean-up is worth more patience: until it is done a tenant may stand frozen. */
const patientRetry: RetryPolicy = { ...retry, maximumAttempts: 1_000 };

/**
 * Five heartbeats of activities/step-control.ts: so long a step of a killed worker is not begun again. An attempt that is
 * given up too early does no harm, only its work twice: every step is idempotent.
 */
const heartbeatTimeout = '10s';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A cancelled step is waited for: the clean-up must not run beside it. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

type Steps = ActivityInterfaceFor<RecoveryActivities>;

/** Answers at once: checks, records. */
export function quick(summary: string): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    startToCloseTimeout: '2m',
    scheduleToCloseTimeout: '12h',
    heartbeatTimeout,
    retry,
    cancellationType,
  });
}

/** Somebody waits for the answer: what does not work at once is told, and sent again by hand. */
export function answering(summary: string): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    startToCloseTimeout: '20s',
    scheduleToCloseTimeout: '1m',
    heartbeatTimeout,
    retry: { ...retry, maximumAttempts: 3 },
    cancellationType,
  });
}

/** May take hours on a large cluster; heartbeats tell that it lives. */
export function long(summary: string, limitMs = DAY_MS): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    startToCloseTimeout: limitMs,
    scheduleToCloseTimeout: '72h',
    heartbeatTimeout,
    retry,
    cancellationType,
  });
}

/** On the host that has, or will have, the scratch cluster; its worker may be away for a while, but not for ever. */
export function onScratchHost(host: ScratchHost, summary: string): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    taskQueue: host.taskQueue,
    scheduleToStartTimeout: host.patienceMs,
    startToCloseTimeout: DAY_MS,
    scheduleToCloseTimeout: '72h',
    heartbeatTimeout,
    retry,
    cancellationType,
  });
}

/** Runs after a cancellation as well, inside a non-cancellable scope. */
export function cleanUp(summary: string): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    startToCloseTimeout: '30m',
    scheduleToCloseTimeout: '24h',
    heartbeatTimeout,
    retry: patientRetry,
    cancellationType,
  });
}

/** Clean-up on the scratch cluster's host; when that is gone, its worker sweeps what is left when it comes back. */
export function cleanUpOnScratchHost(host: ScratchHost, summary: string): Steps {
  return proxyActivities<RecoveryActivities>({
    summary,
    taskQueue: host.taskQueue,
    scheduleToStartTimeout: host.patienceMs,
    startToCloseTimeout: '30m',
    scheduleToCloseTimeout: '24h',
    heartbeatTimeout,
    retry: patientRetry,
    cancellationType,
  });
}
