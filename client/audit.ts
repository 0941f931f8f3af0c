/**
 * `import { AuditImmutabilityManager } from 'chronawflow/audit'`: the audit log without Temporal. It loads no pg either: the
 * pool of the control plane's database is the caller's.
 */
export {
  type AuditEvent,
  AuditImmutabilityManager,
  type AuditVerification,
  type ExportedLogs,
  type ExportOptions,
  type ExportVerification,
  exportLogsRecorded as exportLogs,
  formatReceipt,
  LogDamagedError,
  NoteInvalidError,
  type OutboxEvent,
  type ProvedEvent,
  parseVerifierKey,
  proveEventRecorded as proveEvent,
  type Reader,
  ReadNotRecordedError,
  type Receipt,
  recordAuditEvent,
  type VerifierKey,
  type VerifyOptions,
  type Violation,
  verifyExport,
  verifyReceipt,
  writeOutbox,
} from '../core/audit';
export { ChronawflowError, type ErrorKind, InvalidInputError } from '../core/errors';
