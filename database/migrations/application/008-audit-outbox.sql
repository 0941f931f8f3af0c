-- Audit events of what happens in this database, written in the transaction of the act itself and brought to the control
-- plane's insert-only log from here.
create table chronawflow.audit_outbox (
  seq     bigint generated always as identity primary key,
  id      text not null default gen_random_uuid()::text,
  at      timestamptz not null default clock_timestamp(),
  actor   text not null,
  action  text not null,
  tenant  text,
  object  text,
  outcome text not null,
  details jsonb not null default '{}'
);
