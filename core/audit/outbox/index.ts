export { forwardOutbox, type OutboxEvent, writeOutbox } from './audit-outbox';
export { OutboxForwarder } from './outbox-forwarder';
