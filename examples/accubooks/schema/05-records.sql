-- What is kept beside the books.

-- Reads another table from a CHECK constraint: not a good habit, but one that restores meet.
create function plan_allows(organisation uuid, bytes integer) returns boolean
language sql stable as $$
  select bytes <= case o.plan when 'free' then 65536 when 'standard' then 1048576 else 16777216 end
  from public.organisations o where o.id = organisation
$$;

create table attachments (
  id              uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisations on delete cascade,
  invoice_id      bigint references invoices on delete cascade,
  -- The version that this one replaces.
  previous_id     uuid references attachments on delete set null,
  content         bytea not null,
  checksum        bytea not null generated always as (sha256(content)) stored,
  metadata        jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  constraint attachments_quota check (plan_allows(organisation_id, octet_length(content)))
);
create index attachments_of_organisation on attachments (organisation_id);
create index attachments_of_invoice on attachments (invoice_id) where invoice_id is not null;
create index attachments_of_previous on attachments (previous_id) where previous_id is not null;

-- Events on their way to other systems. What was sent was sent: never rolled back with a tenant, and without a foreign
-- key, because an event outlives what it tells of.
create table outbox (
  id              bigserial primary key,
  organisation_id uuid not null,
  topic           text not null,
  payload         jsonb not null,
  created_at      timestamptz not null default now()
);
create index outbox_of_organisation on outbox (organisation_id);

-- No primary key: two equal rows are two events.
create table access_log (
  organisation_id uuid not null references organisations on delete cascade,
  user_id         uuid,
  at              timestamptz not null default now(),
  action          text not null,
  address         inet
);
create index access_log_of_organisation on access_log (organisation_id, at);
