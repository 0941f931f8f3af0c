import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { EscalationActivities } from '../activities/types';

type Steps = ActivityInterfaceFor<EscalationActivities>;

/** The control plane may be away for long; an alert is not dropped for that. */
export function record(summary: string): Steps {
  return proxyActivities<EscalationActivities>({
    summary,
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '24h',
    retry: {
      initialInterval: '250ms',
      backoffCoefficient: 2,
      maximumInterval: '15s',
      maximumAttempts: 10_000,
    },
  });
}

/** Also where a severity's time is shorter: a controller that was killed is noticed after its heartbeat's timeout. */
const LEAST_MS = 2 * 60_000;

/** A page is tried for as long as it is its level's turn. Each channel has a limit of 10 s of its own for every wait. */
export function deliver(summary: string, limitMs: number): Steps {
  return proxyActivities<EscalationActivities>({
    summary,
    startToCloseTimeout: '60s',
    scheduleToCloseTimeout: Math.max(LEAST_MS, limitMs),
    // Five heartbeats of activities/step-control.ts.
    heartbeatTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 1_000 },
    // Nobody waits for a page that has become pointless.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}
