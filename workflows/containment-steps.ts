import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { ContainmentActivities } from '../activities/types';

type Steps = ActivityInterfaceFor<ContainmentActivities>;

/** Five heartbeats of activities/step-control.ts. */
const heartbeatTimeout = '10s';

/**
 * A step that holds something: tried for so long and no longer, because the workflow has other means (the next renewal, the
 * inverse).
 */
export function step(summary: string, limitMs = 10 * 60_000): Steps {
  return proxyActivities<ContainmentActivities>({
    summary,
    startToCloseTimeout: '5m',
    scheduleToCloseTimeout: limitMs,
    heartbeatTimeout,
    retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 1_000 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** An inverse is worth patience, though the lease has ended the effect long before: records and triggers are left. */
export function undoStep(summary: string): Steps {
  return proxyActivities<ContainmentActivities>({
    summary,
    startToCloseTimeout: '5m',
    scheduleToCloseTimeout: '24h',
    heartbeatTimeout,
    retry: {
      initialInterval: '250ms',
      backoffCoefficient: 2,
      maximumInterval: '15s',
      maximumAttempts: 10_000,
    },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}
