import { ChronawflowError } from '../../core/errors';

/** Queries and updates are answered by a worker, and none did in time. */
export class NoWorkerAnsweredError extends ChronawflowError {
  readonly code = 'NO_WORKER_ANSWERED';
  override readonly retryable = true;

  constructor(workflowId: string, taskQueue: string, cause?: unknown) {
    super(`No worker answered for ${workflowId}.`, {
      cause,
      hint: `Start one for task queue ${taskQueue} with \`chronawflow worker\`; the run goes on where it is.`,
      details: { workflowId, taskQueue },
    });
  }
}
