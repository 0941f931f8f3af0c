export { type AskedBy, askedBy, onBehalfOf } from './asked-by';
export type { AuditEvent, PersonalData } from './audit-event';
export { checkEvent } from './check-event.pure';
export {
  type EncodedEntry,
  encodeEntry,
  MAX_ENTRY_BYTES,
  STORED_EVENT,
  type StoredEvent,
} from './entry.pure';
export { COMMITMENT, setApart } from './personal-data';
export { recordAuditEvent } from './record-audit-event';
export {
  RETENTION_ACTION,
  RETENTION_BEGINNING,
  type RetentionRecord,
  retentionIn,
} from './retention-record.pure';
