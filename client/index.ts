export { type Config, ConfigInvalidError, loadConfig } from '../config';
export {
  ChronawflowError,
  CommandFailedError,
  DependencyMissingError,
  type ErrorKind,
  InvalidInputError,
} from '../core/errors';
export {
  type CheckAnswer,
  type Execution,
  ExecutionFencedError,
  ExecutionRunningError,
  type IdempotencyEvent,
  IdempotencyKeyReusedError,
  IdempotencyManager,
  type IdempotencyOptions,
  type IdempotencyRef,
  type Json,
  type StartAnswer,
} from '../core/idempotency';
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
export { Chronawflow, type ConnectOptions } from './chronawflow';
export {
  NoWorkerAnsweredError,
  RemoteError,
  RunCancelledError,
  RunEndedError,
  RunExistsError,
  RunNotFoundError,
  RunTerminatedError,
  TemporalUnavailableError,
} from './errors';
export { OperationRun, type WaitOptions } from './operation-run';
export { type ClusterRestoreRequest, type ClusterRun, RecoveryClient, type UndoRequest } from './recovery';
export type { ChangesRequest, RecoveryPoints } from './recovery-reader';
export { RecoverySchedules, type ScheduleRequest, type ScheduleState } from './recovery-schedules';
