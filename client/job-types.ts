/**
 * The entry `chronawflow/jobs`: what a module with jobs, and a service that submits without Temporal, needs.
 *
 * @example
 * import { defineJob } from 'chronawflow/jobs';
 */
export {
  type HttpResponse,
  IdempotencyManager,
  idempotencyHooks,
  idempotencyMiddleware,
  jsonResponse,
  sendResponse,
  writeResponse,
} from '../core/idempotency';
export {
  BacklogFullError,
  defineBatchJob,
  defineJob,
  InputTooLargeError,
  type ItemOutcome,
  type Job,
  JobCancelledError,
  type JobContext,
  JobDeadError,
  JobExistsError,
  JobFencedError,
  JobNotFoundError,
  type JobOptions,
  type JobPriority,
  JobQueue,
  type JobQueueOptions,
  type JobRef,
  type JobState,
  type JobStatus,
  JobTimeoutError,
  jobsByType,
  type LeasedJob,
  PriorityQueueManager,
  QueueBoundaryManager,
  type SubmitRequest,
  UnknownJobTypeError,
} from '../core/jobs';
