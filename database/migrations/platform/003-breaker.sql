-- Breakers that several processes share. All times are the database's; nothing here is needed for a decision at once.

-- A process that takes part; it counts as long as it was seen lately.
create table chronawflow.breaker_observer (
  id       text primary key,
  seen_at  timestamptz not null default clock_timestamp()
);
create index breaker_observer_by_time on chronawflow.breaker_observer (seen_at);

-- "I have it open, by what I have seen myself."
create table chronawflow.breaker_vote (
  service    text not null,
  operation  text not null,
  tenant     text not null,
  observer   text not null references chronawflow.breaker_observer on delete cascade,
  reason     text not null,
  break_ms   integer not null check (break_ms > 0),
  primary key (service, operation, tenant, observer)
);
create index breaker_vote_by_observer on chronawflow.breaker_vote (observer);

-- What holds for everybody. Whoever changes it names the generation that the decision was made from.
create table chronawflow.breaker_state (
  service     text not null,
  operation   text not null,
  tenant      text not null,
  generation  bigint not null,
  state       text not null check (state in ('closed', 'open', 'isolated', 'forced-closed')),
  reason      text not null,
  until       timestamptz,
  changed_at  timestamptz not null default clock_timestamp(),
  changed_by  text not null,
  primary key (service, operation, tenant)
);
create index breaker_state_by_time on chronawflow.breaker_state (changed_at);
create index breaker_state_not_closed on chronawflow.breaker_state (state) where state <> 'closed';
