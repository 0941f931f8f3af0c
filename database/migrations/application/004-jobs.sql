-- Tenant jobs; core/jobs/README.md. In the application's database, because submitting, ctx.once and completion commit
-- together with the tenant's rows. Never rolled back by a tenant's restore.
create table chronawflow.job (
  tenant       text not null,
  type         text not null,
  key          text not null,
  -- order of arrival
  seq          bigint generated always as identity,
  fingerprint  text not null,
  input        json not null,
  priority     smallint not null check (priority between 1 and 5),
  -- waiting: for its time, its turn or its permit; handed: given to Temporal, with a permit reserved;
  -- running: an attempt holds the permit
  state        text not null default 'waiting'
               check (state in ('waiting', 'handed', 'running', 'done', 'dead', 'cancelled')),
  -- what a waiting job waits for besides its turn
  waits_for    text check (waits_for in ('retry', 'code', 'thaw')),
  run_at       timestamptz not null,
  submitted_at timestamptz not null default clock_timestamp(),
  attempts     integer not null default 0,
  -- a workflow was started for it, and is woken instead of started again
  started      boolean not null default false,
  -- the attempt that holds the permit, or the last one that did
  owner        text,
  lease_until  timestamptz,
  result       json,
  -- the last attempts' errors, oldest first
  errors       jsonb not null default '[]',
  finished_at  timestamptz,
  expires_at   timestamptz,
  primary key (tenant, type, key)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index job_waiting on chronawflow.job (tenant, priority, run_at, seq) where state = 'waiting';
create index job_in_flight on chronawflow.job (tenant, type) where state in ('handed', 'running');
create index job_expiring on chronawflow.job (expires_at) where expires_at is not null;

create table chronawflow.dead_letter (
  id          bigint generated always as identity primary key,
  tenant      text not null,
  type        text not null,
  key         text not null,
  reason      text not null,
  attempts    integer not null,
  errors      jsonb not null,
  died_at     timestamptz not null default clock_timestamp(),
  state       text not null default 'open' check (state in ('open', 'redriven', 'discarded')),
  decided_by  text,
  decided_at  timestamptz,
  decision    text
);
-- A job is dead once at a time.
create unique index dead_letter_open on chronawflow.dead_letter (tenant, type, key) where state = 'open';

-- Limits that differ from the configuration; '' stands for any.
create table chronawflow.job_limit (
  tenant     text not null default '',
  type       text not null default '',
  in_flight  integer check (in_flight >= 0),
  backlog    integer check (backlog >= 0),
  weight     real check (weight > 0),
  set_by     text not null,
  set_at     timestamptz not null default clock_timestamp(),
  primary key (tenant, type)
);

-- Work that is held back: quarantined or paused by a person or a rule. '' stands for any.
create table chronawflow.job_hold (
  tenant  text not null default '',
  type    text not null default '',
  reason  text not null,
  held_by text not null,
  since   timestamptz not null default clock_timestamp(),
  primary key (tenant, type)
);

-- When the tenant's next retry fits its budget: the theoretical arrival time of a generic cell rate algorithm.
create table chronawflow.job_retry_budget (
  tenant text primary key,
  tat    timestamptz not null
);
