export { AuditReader, type Reader } from './audit-reader';
export { ReadAudit, type ReadKind } from './read-audit';
export { ReadNotRecordedError } from './read-not-recorded-error';
export { exportLogsRecorded, proveEventRecorded } from './recorded-reads';
