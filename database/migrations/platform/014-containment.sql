-- What is contained, what has to be undone for it, and until when; core/containment/README.md. Times are of this database's clock.
create table chronawflow.containment (
  id           text primary key,
  workflow_id  text not null,
  strategy     text not null,
  target       jsonb not null,
  tenant       text,
  reason       text not null,
  requested_by text not null,
  -- started by a rule, not by a person
  automatic    boolean not null,
  -- core types of jobs that it stops
  stops_core   text[] not null default '{}',
  -- lapsed: nobody renewed its lease, so that its effects ended by themselves
  state        text not null default 'active' check (state in ('active', 'lapsed', 'ended')),
  started_at   timestamptz not null default clock_timestamp(),
  lease_until  timestamptz not null,
  ends_at      timestamptz not null,
  ended_at     timestamptz,
  ended_by     text,
  outcome      text
);
create index containment_alive on chronawflow.containment (state, lease_until) where state <> 'ended';
create index containment_by_time on chronawflow.containment (started_at);

-- Written before the part is applied, so that whatever happens it is known what may have to be undone.
create table chronawflow.containment_part (
  containment text not null references chronawflow.containment,
  resource    text not null,
  position    smallint not null,
  part        jsonb not null,
  state       text not null default 'planned' check (state in ('planned', 'applied', 'left', 'failed', 'undone')),
  note        text,
  -- the resource is taken by this containment
  holds       boolean not null default true,
  primary key (containment, resource)
);
-- One containment at a time has a resource: each is undone to exactly what was before it.
create unique index containment_part_holds on chronawflow.containment_part (resource) where holds;

-- Endpoints that get nothing new for a time; what is under way there ends by itself. core/health/endpoint.
create table chronawflow.endpoint_drain (
  service  text not null,
  endpoint text not null,
  -- takes over, beside the others of the service
  redirect text check (redirect <> endpoint),
  until    timestamptz not null,
  held_by  text not null,
  primary key (service, endpoint)
);

-- How much of it each process that follows still has under way there.
create table chronawflow.endpoint_drain_process (
  service   text not null,
  endpoint  text not null,
  process   text not null,
  in_flight integer not null check (in_flight >= 0),
  seen_at   timestamptz not null default clock_timestamp(),
  primary key (service, endpoint, process)
) with (fillfactor = 50);

-- A floor under which a containment holds a tenant for a time, beside the tenant's own rules, which stay as they are.
alter table chronawflow.rate_rule
  add column floor jsonb,
  add column floor_until timestamptz,
  add column floor_by text,
  add constraint rate_rule_floor check (num_nulls(floor, floor_until, floor_by) in (0, 3));
