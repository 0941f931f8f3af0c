import type { Workflow } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { capability, searchAttributeNames } from '../workflows/contract';
import type { TemporalLink } from './temporal-link';

export interface OperationDisplay {
  readonly tenant?: string;
  /** One line for lists in the Web UI. */
  readonly summary: string;
  readonly details: string;
  /** May be tried again under the same ID after it failed. */
  readonly again?: boolean;
  /** Default `recovery`. */
  readonly capability?: string;
  /** Default that of the workers. */
  readonly taskQueue?: string;
}

/**
 * Starts a workflow. A request is carried out once, also when its name comes again after it
 * ended: RUN_EXISTS.
 */
export async function startOperation(
  link: TemporalLink,
  workflow: string,
  workflowId: string,
  input: object,
  display: OperationDisplay,
): Promise<void> {
  const key = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');
  try {
    await link.client.workflow.start<Workflow>(workflow, {
      workflowId,
      taskQueue: display.taskQueue ?? link.taskQueue,
      args: [input],
      workflowIdReusePolicy: display.again ? 'ALLOW_DUPLICATE_FAILED_ONLY' : 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: display.summary,
      staticDetails: display.details,
      typedSearchAttributes: [
        { key: key(searchAttributeNames.capability), value: display.capability ?? capability },
        ...(display.tenant === undefined
          ? []
          : [{ key: key(searchAttributeNames.tenant), value: display.tenant }]),
      ],
    });
  } catch (error) {
    throw link.mapped(error, workflowId);
  }
}
