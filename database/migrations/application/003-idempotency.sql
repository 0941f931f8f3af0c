-- What happened once; core/idempotency/README.md. Never rolled back by a tenant's restore: outside effects stay.
create table chronawflow.idempotency (
  tenant       text not null,
  scope        text not null,
  key          text not null,
  fingerprint  text not null,
  state        text not null check (state in ('started', 'completed')),
  owner        text not null,
  -- grows with every take-over
  fence        bigint not null default 1,
  lease_until  timestamptz not null,
  result       json,
  started_at   timestamptz not null default clock_timestamp(),
  completed_at timestamptz,
  expires_at   timestamptz,
  primary key (tenant, scope, key)
);
-- What the clean-up looks for: results past their retention, and executions that nobody finished.
create index idempotency_expiring on chronawflow.idempotency (expires_at) where state = 'completed';
create index idempotency_unfinished on chronawflow.idempotency (lease_until) where state = 'started';
