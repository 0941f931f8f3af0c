-- Faults that may be there, of all hosts. What ends them is each host's own journal; this is for looking and for aborting
-- from elsewhere, and keeps two faults from one target.
create table chronawflow.fault_lease (
  id                  text primary key,
  experiment          text not null,
  driver              text not null,
  target              text not null,
  resource            text not null,
  host                text not null,
  parameters          jsonb not null,
  deadline            timestamptz not null,
  opened_at           timestamptz not null default clock_timestamp(),
  abort_requested_at  timestamptz,
  abort_requested_by  text,
  ended_at            timestamptz,
  ended_by            text,
  end_reason          text
);
create unique index fault_lease_resource on chronawflow.fault_lease (resource) where ended_at is null;
create index fault_lease_by_experiment on chronawflow.fault_lease (experiment);

-- One run of an experiment; its ID is the workflow's.
create table chronawflow.chaos_run (
  id            text primary key,
  experiment    text not null,
  requested_by  text not null,
  reason        text,
  state         text not null default 'running',
  faults        text[] not null default '{}',
  seed          bigint,
  journal       jsonb,
  report        jsonb,
  started_at    timestamptz not null default clock_timestamp(),
  finished_at   timestamptz
);
create index chaos_run_by_time on chronawflow.chaos_run (started_at desc);
