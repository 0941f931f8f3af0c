export { type Config, ConfigInvalidError, loadConfig } from '../config';
export { ChaosEngineeringManager, type ChaosRunRequest, type SingleFault } from '../core/chaos';
export type { ChaosReport } from '../core/chaos/types';
export type { ContainmentRequest, ContainmentTarget } from '../core/containment';
export {
  type AppliedLevel,
  type ApplyDegradation,
  type ApplyReadOnly,
  type ByHand,
  Degradation,
  DegradationModesManager,
  type DegradationOptions,
  type LevelView,
  loadSheddingHooks,
  loadSheddingMiddleware,
  type ScopeHealth,
  type WayBack,
} from '../core/degradation';
export {
  ChronawflowError,
  CommandFailedError,
  DependencyMissingError,
  type ErrorKind,
  InvalidInputError,
} from '../core/errors';
export {
  type BlastRadius,
  type DomainNodes,
  FailureDomainManager,
  type StartedContainment,
  type TenantIsolation,
  UnknownDomainError,
} from '../core/failure-domains';
export {
  type CheckAnswer,
  type Execution,
  ExecutionFencedError,
  ExecutionRunningError,
  type HttpResponse,
  IDEMPOTENCY_DRAFT,
  type IdempotencyEvent,
  IdempotencyKeyReusedError,
  IdempotencyManager,
  type IdempotencyOptions,
  type IdempotencyRef,
  idempotencyHooks,
  idempotencyMiddleware,
  type Json,
  jsonResponse,
  type StartAnswer,
  sendResponse,
  writeResponse,
} from '../core/idempotency';
export {
  BacklogFullError,
  type Boundary,
  type DeadFilter,
  type DeadLetter,
  defineBatchJob,
  defineJob,
  InputTooLargeError,
  type ItemOutcome,
  type Job,
  JobCancelledError,
  type JobContext,
  JobDeadError,
  JobFencedError,
  type JobFilter,
  JobNotDeadError,
  JobNotFoundError,
  type JobOptions,
  type JobPriority,
  type JobRef,
  type JobState,
  type JobStatus,
  JobTimeoutError,
  type LeasedJob,
  type Limit,
  PriorityQueueManager,
  QueueBoundaryManager,
  type QueueDepth,
  type SubmitRequest,
  UnknownJobTypeError,
} from '../core/jobs';
export {
  type Grant,
  IntentRefusedError,
  type Operator,
  openSigner,
  ROLES,
  type Role,
  type SignedIntent,
  type Signer,
  SignerUnavailableError,
  StatementRefusedError,
  signerOfAgent,
  signerOfPem,
} from '../core/operators';
export { ConfiguredRateLimits, type ConfiguredRateLimitsOptions, RateLimitedError } from '../core/rate-limit';
export type { ChangedRow, ChangesPage } from '../core/recovery';
export type { RecoveryPoint, RestorableWindow, WindowGap } from '../core/recovery/backup';
export {
  type RecoveryOperations,
  type RecoveryPointRequest,
  RecoveryStrategyManager,
  type RestoreRequest,
} from '../core/recovery/recovery-strategy-manager';
export type { ComplianceReport, TierCompliance } from '../core/recovery/report';
export type * from '../core/recovery/types';
export type { Approval, ApprovalAnswer, OperationStatus, Rejection } from '../workflows/contract';
export { ChaosClient, ChaosRun } from './chaos';
export { Chronawflow, type ConnectOptions } from './chronawflow';
export { ContainmentClient, type ContainmentRun } from './containment';
export type { DeferRequest } from './deferred-jobs';
export {
  ClientClosedError,
  NoWorkerAnsweredError,
  RemoteError,
  RunCancelledError,
  RunEndedError,
  RunExistsError,
  RunNotFoundError,
  RunTerminatedError,
  TemporalUnavailableError,
} from './errors';
export { EscalationClient, type RaiseRequest } from './escalation';
export { JobHandle } from './job-handle';
export type { ReleaseOptions } from './job-holds';
export { type JobScheduleRequest, type JobScheduleState, JobSchedules } from './job-schedules';
export {
  JobsClient,
  type JobView,
  type RedriveManyOptions,
  type RedriveOptions,
} from './jobs';
export {
  type ApprovalRequest,
  OperationRun,
  type RejectionRequest,
  type WaitOptions,
} from './operation-run';
export type { Actor } from './operator';
export { type NewOperator, OperatorsClient, type Rotation } from './operators';
export type { Overview, Part } from './overview';
export { type ClusterRestoreRequest, type ClusterRun, RecoveryClient, type UndoRequest } from './recovery';
export type { ChangesRequest, RecoveryPoints } from './recovery-reader';
export { RecoverySchedules, type ScheduleRequest, type ScheduleState } from './recovery-schedules';
