export { forwardOutbox, type OutboxEvent, writeOutbox } from './audit-outbox';
export { OutboxForwarder } from './outbox-forwarder';
export { type AuditEvent, recordAuditEvent } from './record-audit-event';
