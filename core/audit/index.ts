export { RefusedAttempts } from './attempts';
export { AuditImmutabilityManager } from './audit-immutability-manager';
export {
  type AskedBy,
  type AuditEvent,
  askedBy,
  onBehalfOf,
  RETENTION_ACTION,
  recordAuditEvent,
} from './event';
export { readSigningKey, readVerifierKey, readVerifierKeys, writeSigningKey } from './keys';
export {
  ExportConflictError,
  type ExportedLogs,
  type ExportOptions,
  exportLogs,
  LogDamagedError,
} from './log';
export { rootOfTile, TILE_WIDTH } from './merkle';
export {
  formatVerifierKey,
  generateSigningKey,
  isKeyName,
  NoteInvalidError,
  parseVerifierKey,
  type SigningKey,
  type VerifierKey,
} from './note';
export { forwardOutbox, type OutboxEvent, OutboxForwarder, writeOutbox } from './outbox';
export {
  AuditReader,
  exportLogsRecorded,
  proveEventRecorded,
  ReadAudit,
  type Reader,
  type ReadKind,
  ReadNotRecordedError,
} from './reads';
export {
  EventNotSealedError,
  formatReceipt,
  type ProvedEvent,
  proveEvent,
  type Receipt,
  verifyReceipt,
} from './receipt';
export {
  ExternalSigner,
  type LogKeys,
  LogSigner,
  type LogVerifiers,
  Sealer,
  type SealerOptions,
  SealingWatch,
  type SealState,
  sealState,
} from './seal';
export {
  type AuditVerification,
  type DroppedPrefix,
  type ExportVerification,
  type VerifyOptions,
  type Violation,
  verifyDatabase,
  verifyExport,
} from './verify';
export {
  CosignatureCollector,
  lookAtWitness,
  serveWitness,
  Witness,
  type WitnessAddress,
  WitnessRefusedError,
  type WitnessServer,
  WitnessState,
  type WitnessView,
} from './witness';
