-- Keys that encrypt what Temporal stores (core/payload-codec/README.md). Only wrapped keys are here; what wraps them is in
-- no database.

-- Whose keys: the tenant's part of its workflow IDs, or the empty text for the platform.
create table chronawflow.payload_owner (
  owner  text primary key,
  state  text not null default 'active' check (state in ('active', 'closing', 'destroyed')),
  since  timestamptz not null default clock_timestamp(),
  -- The platform's own histories are nobody's to destroy.
  check (owner <> '' or state = 'active')
);

create table chronawflow.payload_key (
  id           text primary key default gen_random_uuid()::text,
  owner        text not null references chronawflow.payload_owner,
  wrapped      bytea,
  wrapped_by   text not null,
  created_at   timestamptz not null default clock_timestamp(),
  -- From then on it only decrypts.
  retired_at   timestamptz,
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);
create index payload_key_newest on chronawflow.payload_key (owner, created_at desc);

-- A destroyed owner stays destroyed, whatever the running role is told to do.
create function chronawflow.keep_destroyed() returns trigger language plpgsql as $$
begin
  if old.state = 'destroyed' then
    raise exception 'the payload keys of % were destroyed', old.owner using errcode = 'restrict_violation';
  end if;
  return coalesce(new, old);
end $$;
create trigger payload_owner_stays_destroyed before update or delete on chronawflow.payload_owner
  for each row execute function chronawflow.keep_destroyed();
