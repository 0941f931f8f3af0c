-- State that has to commit together with the tenant's own rows.

create table chronawflow.restore (
  id           text primary key,
  kind         text not null check (kind in ('restore', 'undo')),
  tenant       text not null,
  workflow_id  text not null,
  undo_of      text references chronawflow.restore (id),
  state        text not null check (state in ('active', 'merged', 'cancelled', 'failed', 'rejected')),
  -- which tables, columns and keys the slice has; written by staging
  plan         jsonb,
  -- set in the merge's own transaction: the hash that was approved, and what was written
  diff_hash    text,
  -- what the last preview compared: diff hash, digests, counts
  comparison   jsonb,
  -- the last preview has a conflict that nobody decided
  blocked      boolean not null default true,
  outcome      jsonb,
  created_at   timestamptz not null default clock_timestamp(),
  updated_at   timestamptz not null default clock_timestamp(),
  -- a merged restore whose staging, gate and scratch are gone; the pre-images stay until preimages_until
  closed_at       timestamptz,
  preimages_until timestamptz
);

-- One operation per tenant at a time, whoever starts it.
create unique index restore_one_active_per_tenant on chronawflow.restore (tenant) where closed_at is null;

create table chronawflow.gate (
  restore_id text primary key references chronawflow.restore (id),
  tenant     text not null,
  state      text not null check (state in ('frozen', 'open')),
  frozen_at  timestamptz not null default clock_timestamp(),
  -- by this database's clock; a freeze that nobody ends opens by itself
  until      timestamptz not null
);

-- A row committed after the target, so that recovery has a later commit to stop at.
create table chronawflow.fence (
  token text primary key,
  at    timestamptz not null default clock_timestamp()
);
