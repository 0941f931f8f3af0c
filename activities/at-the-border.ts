import { Context } from '@temporalio/activity';
import { onBehalfOf } from '../core/audit';
import { failureOf } from './failure-of';

/** Around every activity: its events name the run that it belongs to, and its errors have the form that Temporal keeps. */
export async function atTheBorder<T>(work: () => Promise<T>): Promise<T> {
  const { workflowExecution, attempt } = Context.current().info;
  try {
    return await onBehalfOf({ request: workflowExecution?.workflowId, run: workflowExecution?.runId }, work);
  } catch (error) {
    throw failureOf(error, attempt);
  }
}
