import { Context } from '@temporalio/activity';

/** The same for every attempt of one step, and different for the same step done again later in the workflow. */
export function auditScope(): string {
  const { info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? { workflowId: 'none', runId: 'none' };
  return `${workflowId}/${runId}/${info.activityId}`;
}
