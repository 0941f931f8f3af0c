export { type AuditEvent, recordAuditEvent } from './event';
export { forwardOutbox, type OutboxEvent, OutboxForwarder, writeOutbox } from './outbox';
