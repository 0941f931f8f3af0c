-- Schedules whose input is encrypted with a tenant's key, written down before Temporal has them: Temporal's own list lags behind, and
-- what it does not show yet would go on for a tenant whose keys are destroyed.
create table chronawflow.payload_schedule (
  schedule_id  text primary key,
  owner        text not null references chronawflow.payload_owner
);
create index payload_schedule_by_owner on chronawflow.payload_schedule (owner);
