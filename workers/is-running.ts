import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Whether a workflow is under way; one that Temporal does not know is not. @throws when Temporal does not answer */
export async function isRunning(temporal: Client, workflowId: string): Promise<boolean> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
