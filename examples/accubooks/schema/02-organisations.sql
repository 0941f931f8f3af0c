-- The tenants, and what belongs to a tenant as a whole.

-- Shared by all tenants: no tenant column and no foreign key that leads to a tenant.
create table currencies (
  code       char(3) primary key,
  name       text not null,
  minor_unit smallint not null default 2
);

insert into currencies (code, name, minor_unit)
values ('EUR', 'Euro', 2), ('GBP', 'Pound sterling', 2), ('USD', 'US dollar', 2), ('JPY', 'Yen', 0);

create table organisations (
  id         uuid primary key default gen_random_uuid(),
  name       text not null,
  plan       plan not null default 'free',
  currency   char(3) not null default 'EUR' references currencies,
  -- An organisation has an owner among its own users: a cycle, closed at commit.
  owner_id   uuid,
  created_at timestamptz not null default now()
);

create table users (
  id              uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisations on delete cascade,
  email           text not null,
  display_name    text not null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

-- People sign in by e-mail address, so it is unique over all organisations, whatever its case.
create unique index users_sign_in on users (lower(email));
create index users_of_organisation on users (organisation_id);

alter table organisations
  add constraint organisations_owner foreign key (owner_id) references users on delete set null
  deferrable initially deferred;
create index organisations_of_owner on organisations (owner_id) where owner_id is not null;

create table "tenantSettings" (
  "organisationId" uuid not null references organisations on delete cascade,
  "settingKey"     text not null,
  "settingValue"   jsonb not null,
  primary key ("organisationId", "settingKey")
);

-- Behind gap-free invoice numbers. Once issued, a number is on paper somewhere: the counter only moves forward.
create table counters (
  organisation_id     uuid primary key references organisations on delete cascade,
  next_invoice_number bigint not null default 1 check (next_invoice_number > 0)
);

-- A template without organisation is offered to everybody; one that outlives its organisation becomes such a template.
create table templates (
  id              uuid primary key default gen_random_uuid(),
  organisation_id uuid references organisations on delete set null,
  name            text not null,
  body            text not null
);
create index templates_of_organisation on templates (organisation_id);
