-- The audit log that proves itself: events are sealed into RFC 6962 trees, one for each tenant, whose checkpoints are
-- the leaves of one platform log. docs/compliance/audit.md describes what that proves.

-- The transaction that wrote the event: everything below the oldest one still running is complete, so the sealer, which
-- goes by it, can leave no gap. Events from before this migration have the migration's own.
alter table chronawflow.audit_event
  add column reason text,
  add column xid xid8 not null default pg_current_xact_id();
create index audit_event_by_xid on chronawflow.audit_event (xid);

-- One tree: of a tenant, of events without a tenant, or the platform's, whose leaves are the others' checkpoints.
create table chronawflow.audit_log (
  id        integer generated always as identity primary key,
  kind      text not null check (kind in ('tenant', 'system', 'platform')),
  tenant    text,
  -- Goes into what is published, so it tells nobody who the tenant is.
  origin    text not null unique,
  size      bigint not null default 0 check (size >= 0),
  -- Hashes of the right edge: all that is needed to append.
  edge      bytea[] not null default '{}',
  check ((kind = 'tenant') = (tenant is not null))
);
create unique index audit_log_of_tenant on chronawflow.audit_log (kind, coalesce(tenant, ''));

create table chronawflow.audit_entry (
  log       integer not null references chronawflow.audit_log,
  index     bigint not null check (index >= 0),
  -- The event in its canonical form, or another log's checkpoint: the bytes that the leaf's hash is of.
  entry     bytea not null,
  event_id  text,
  primary key (log, index)
);
create unique index audit_entry_of_event on chronawflow.audit_entry (event_id) where event_id is not null;

-- A checkpoint's place in the platform log.
create index audit_entry_of_checkpoint on chronawflow.audit_entry (log, sha256(entry)) where event_id is null;

-- Roots of complete subtrees of 256, 65,536, … leaves: the hashes of the tiles above the leaves.
create table chronawflow.audit_subtree (
  log       integer not null references chronawflow.audit_log,
  level     integer not null check (level > 0),
  index     bigint not null check (index >= 0),
  hash      bytea not null check (octet_length(hash) = 32),
  primary key (log, level, index)
);

create table chronawflow.audit_checkpoint (
  log       integer not null references chronawflow.audit_log,
  size      bigint not null check (size >= 0),
  note      text not null,
  sealed_at timestamptz not null default clock_timestamp(),
  primary key (log, size)
);

-- How far the sealer has come in audit_event; one row.
create table chronawflow.audit_seal (
  only_row  boolean primary key default true check (only_row),
  xid       xid8 not null,
  at        timestamptz not null,
  id        text not null
);
insert into chronawflow.audit_seal (xid, at, id) values ('0', '-infinity', '');

do $$
declare
  sealed text;
begin
  foreach sealed in array array['audit_entry', 'audit_subtree', 'audit_checkpoint'] loop
    execute format('create trigger %I before update or delete on chronawflow.%I
      for each row execute function chronawflow.refuse_change()', sealed || '_insert_only', sealed);
    execute format('create trigger %I before truncate on chronawflow.%I
      for each statement execute function chronawflow.refuse_change()', sealed || '_no_truncate', sealed);
    execute format('alter table chronawflow.%I enable always trigger %I', sealed, sealed || '_insert_only');
    execute format('alter table chronawflow.%I enable always trigger %I', sealed, sealed || '_no_truncate');
  end loop;
end $$;
