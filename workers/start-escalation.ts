import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type EscalationInput, escalationWorkflowId } from '../core/escalation';
import { escalationMessageNames, escalationWorkflowName } from '../workflows/escalation-contract';

export interface EscalationStarter {
  readonly temporal: Client;
  /** Of the controllers. */
  readonly taskQueue: string;
}

/** An alert fires: the run that is under way hears of it, or one begins. */
export async function startEscalation(
  { temporal, taskQueue }: EscalationStarter,
  alert: EscalationInput,
): Promise<void> {
  await temporal.workflow.signalWithStart(escalationWorkflowName, {
    workflowId: escalationWorkflowId(alert.fingerprint),
    taskQueue,
    args: [alert],
    signal: escalationMessageNames.fire,
    signalArgs: [],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `${alert.severity}: ${alert.summary}`.slice(0, 200),
  });
}

/** An alert does not fire any more; of one that nobody was told of there is nothing to do. */
export async function resolveAlert({ temporal }: EscalationStarter, fingerprint: string): Promise<void> {
  try {
    await temporal.workflow
      .getHandle(escalationWorkflowId(fingerprint))
      .signal(escalationMessageNames.resolve);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
