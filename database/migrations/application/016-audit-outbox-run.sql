-- Who asked for what an event tells: the workflow, and which run of it. Events that wait here from before name nobody.
alter table chronawflow.audit_outbox add column request text, add column run text;
