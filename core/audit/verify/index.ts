export { type AuditVerification, type VerifyOptions, verifyDatabase } from './verify-database';
export { type ExportVerification, verifyExport } from './verify-export';
export {
  type DroppedPrefix,
  type RootClaim,
  type VerifyHooks,
  type Violation,
  verifyLog,
} from './verify-log';
