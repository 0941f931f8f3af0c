import { Context } from '@temporalio/activity';
import type { AuditEvent } from '../core/audit';

/** Who asked, as events have it: the workflow, and which run of it. */
export function askedBy(): Pick<AuditEvent, 'request' | 'run'> {
  const { workflowId, runId } = Context.current().info.workflowExecution ?? {};
  return { request: workflowId, run: runId };
}

/** The same for every attempt of one step, and different for the same step done again later in the workflow. */
export function auditScope(): string {
  const { info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? { workflowId: 'none', runId: 'none' };
  return `${workflowId}/${runId}/${info.activityId}`;
}
