export { type BatchJobOptions, defineBatchJob } from './define-batch-job';
export {
  defineJob,
  type Job,
  type JobContext,
  type JobOptions,
} from './define-job';
export { Dispatcher, type DispatcherOptions } from './dispatcher';
export { BacklogFullError } from './errors/backlog-full-error';
export { CoreTypeHeldError } from './errors/core-type-held-error';
export { EffectsUndoneError } from './errors/effects-undone-error';
export { InputTooLargeError } from './errors/input-too-large-error';
export { JobCancelledError } from './errors/job-cancelled-error';
export { JobDeadError } from './errors/job-dead-error';
export { JobExistsError } from './errors/job-exists-error';
export { JobFencedError } from './errors/job-fenced-error';
export { JobNotDeadError } from './errors/job-not-dead-error';
export { JobNotFoundError } from './errors/job-not-found-error';
export { JobTimeoutError } from './errors/job-timeout-error';
export { NothingUndoneError } from './errors/nothing-undone-error';
export { UnknownJobTenantError } from './errors/unknown-job-tenant-error';
export { UnknownJobTypeError } from './errors/unknown-job-type-error';
export { coreTypes, FailureWatch } from './failure-watch';
export { type ConsumerOptions, JobConsumer, type LeasedJob } from './job-consumer';
export { JobMetrics } from './job-metrics';
export {
  deferredJobId,
  fairnessKey,
  JOB_SCHEDULES,
  jobScheduleId,
  jobTaskQueue,
  jobWorkflowId,
  scheduledKey,
} from './job-names';
export {
  type Added,
  type ItemOutcome,
  JobQueue,
  type JobQueueOptions,
  type SubmitOptions,
} from './job-queue';
export { type Interruption, JobRunner, type RunnerOptions, STOP_GRACE_MS } from './job-runner';
export { jobsByType, loadJobs } from './load-jobs';
export type { SubmitRequest } from './prepare-submission';
export { PriorityQueueManager } from './priority-queue-manager';
export { QueueBoundaryManager } from './queue-boundary-manager';
export type { BatchReport } from './run-batch';
export type { ClaimedJob } from './store/claim-jobs';
export {
  type DeadFilter,
  type DeadLetter,
  discard,
  type Redrive,
  readDeadLetters,
  readLettersOf,
  readSteps,
  redrive,
} from './store/dead-letters';
export {
  type Hold,
  type HoldBoundary,
  type HoldKind,
  hold,
  type NewHold,
  readHolds,
  release,
} from './store/holds';
export { endLeasedHold, type LeasedHold, leaseHold } from './store/lease-hold';
export { type Boundary, type Limit, readLimits, setLimit } from './store/limits';
export { type JobFilter, listJobs, type QueueDepth, readDepths } from './store/look';
export {
  leaveUndone,
  listUndone,
  type RedriveUndone,
  redriveUndone,
  type UndoneFilter,
  type UndoneSubject,
} from './store/undone-effects';
export type {
  AttemptError,
  DeferredJobInput,
  JobPriority,
  JobProgress,
  JobRef,
  JobState,
  JobStatus,
  ScheduledJobInput,
  ScheduledJobReport,
} from './types';
