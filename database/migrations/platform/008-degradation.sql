-- Levels of degradation, and what processes see and have applied. Times are of this database's clock.

-- The level of each scope (`platform`, `tier/<tier>`), written by its transition alone.
create table chronawflow.degradation_level (
  scope       text primary key check (octet_length(scope) between 1 and 200),
  -- Grows with each change; a change with a smaller one comes too late.
  version     bigint not null check (version >= 0),
  level       text not null,
  -- 0 is normal; the more, the less is left.
  rank        integer not null check (rank between 0 and 100),
  reason      text not null,
  since       timestamptz not null default clock_timestamp(),
  -- Who set it by hand, why and until when; null when the controller decides.
  manual      jsonb,
  -- Why writes are refused, by whom and until when; null when they are not.
  read_only   jsonb,
  -- What the controller saw last: per signal its value, and what keeps the level.
  assessment  jsonb,
  -- The last sign of the scope's controller.
  heard_at    timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- One row for each process that follows levels: its sign of life, what it has applied, what it sees.
create table chronawflow.degradation_process (
  process     uuid primary key,
  name        text not null check (octet_length(name) <= 200),
  started_at  timestamptz not null default clock_timestamp(),
  seen_at     timestamptz not null default clock_timestamp(),
  -- Scope → version.
  applied     jsonb not null default '{}',
  -- Component → why it could not take its part of a level.
  failed      jsonb not null default '{}',
  -- [{ scope, signal, value, ageMs }], of the moment of seen_at.
  samples     jsonb not null default '[]'
) with (fillfactor = 50);
create index degradation_process_seen on chronawflow.degradation_process (seen_at);
