export { forwardOutbox, type OutboxEvent, writeOutbox } from './audit-outbox';
export { type AuditEvent, recordAuditEvent } from './event';
export { OutboxForwarder } from './outbox-forwarder';
