-- Personal data of an event on its way to the audit log, where it stands beside the event.
alter table chronawflow.audit_outbox add column personal jsonb;
