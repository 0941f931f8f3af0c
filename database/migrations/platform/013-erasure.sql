-- Erasure of a person's data: what of it stands beside the audit log, which erasures there were, and what forbids one.
-- core/erasure/README.md says what holds.

-- Names a person's data without their name; one salt a tenant, so that one hash a row finds all erasures that concern it.
create table chronawflow.erasure_salt (
  tenant text primary key,
  salt   bytea not null check (octet_length(salt) = 32)
);

create table chronawflow.erasure (
  id            bigint generated always as identity primary key,
  tenant        text not null references chronawflow.erasure_salt,
  subject_hash  bytea not null check (octet_length(subject_hash) = 32),
  -- Of the commitment in the audit event; whoever has it and the name can check the receipt.
  proof_salt    bytea not null check (octet_length(proof_salt) = 32),
  requested_by  text not null,
  reason        text not null,
  registered_at timestamptz not null default clock_timestamp(),
  -- By the application database's clock, read after its rows were erased; NULL while they may not be.
  erased_at     timestamptz,
  event_id      text,
  check ((erased_at is null) = (event_id is null))
);
create unique index erasure_under_way on chronawflow.erasure (tenant, subject_hash) where erased_at is null;
create index erasure_of_tenant on chronawflow.erasure (tenant, id);

create table chronawflow.legal_hold (
  id           bigint generated always as identity primary key,
  tenant       text not null references chronawflow.erasure_salt,
  -- NULL for everybody of the tenant.
  subject_hash bytea check (octet_length(subject_hash) = 32),
  placed_by    text not null,
  reason       text not null,
  since        timestamptz not null default clock_timestamp(),
  lifted_at    timestamptz,
  lifted_by    text,
  check ((lifted_at is null) = (lifted_by is null))
);
create index legal_hold_standing on chronawflow.legal_hold (tenant) where lifted_at is null;

-- Personal data of an audit event. The event has SHA-256(salt || data); without salt and data nobody can tell what it was.
create table chronawflow.audit_personal (
  -- No foreign key: TRUNCATE of the events would be refused for that reason, before their own guard is asked.
  event_id  text primary key,
  tenant    text,
  subject   text,
  salt      bytea,
  data      text,
  erased_by bigint references chronawflow.erasure (id),
  check (num_nulls(subject, salt, data) = case when erased_by is null then 0 else 3 end)
);
create index audit_personal_subject on chronawflow.audit_personal (tenant, subject) where erased_by is null;

-- Whatever role asks: a row is erased as a whole, for an erasure of its tenant, and not while something forbids it.
create function chronawflow.only_erase() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.erased_by is not null or new.erased_by is null
     or new.event_id <> old.event_id or new.tenant is distinct from old.tenant
     or not exists (select from chronawflow.erasure e join chronawflow.erasure_salt s using (tenant)
                     where e.id = new.erased_by and e.tenant = old.tenant
                       and e.subject_hash = sha256(s.salt || convert_to(old.subject, 'UTF8'))) then
    raise exception 'personal data of the audit log can only be erased, for a registered erasure' using errcode = 'restrict_violation';
  end if;
  if exists (select from chronawflow.legal_hold h join chronawflow.erasure e on e.id = new.erased_by
              where h.tenant = e.tenant and h.lifted_at is null
                and (h.subject_hash is null or h.subject_hash = e.subject_hash)) then
    raise exception 'a legal hold forbids erasing personal data of event %', old.event_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger audit_personal_only_erase before update or delete on chronawflow.audit_personal
  for each row execute function chronawflow.only_erase();
create trigger audit_personal_no_truncate before truncate on chronawflow.audit_personal
  for each statement execute function chronawflow.refuse_change();
alter table chronawflow.audit_personal enable always trigger audit_personal_only_erase;
alter table chronawflow.audit_personal enable always trigger audit_personal_no_truncate;
