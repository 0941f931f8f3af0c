-- Retention: the oldest sealed events go, with their entries and what stands beside them; the hashes of their leaves stay, so
-- that every tree can be computed as before. core/retention/README.md says what holds.

-- Who decided what. Nothing is dropped before the decision's own event is sealed.
create table chronawflow.audit_retention (
  log             integer not null references chronawflow.audit_log,
  -- Entries below it go: whole bundles, as C2SP tlog-tiles has it ("Pruning").
  minimum_index   bigint not null check (minimum_index >= 0 and minimum_index % 256 = 0),
  -- Personal data of events below it goes, also where the entry stays because its bundle does.
  personal_before bigint not null check (personal_before >= minimum_index),
  event_id        text not null unique,
  primary key (log, minimum_index, personal_before)
);

-- The leaf hashes of a bundle that is gone: its tile of level 0.
create table chronawflow.audit_dropped (
  log    integer not null references chronawflow.audit_log,
  index  bigint not null check (index >= 0),
  hashes bytea not null check (octet_length(hashes) = 8192),
  primary key (log, index)
);

-- Finds the events that decisions have left.
create index audit_event_retention on chronawflow.audit_event (object) where action = 'audit.retain';

-- Whether a decision that is sealed covers this place in a log, and no hold on the log's tenant stands.
create function chronawflow.may_drop(of_log integer, at bigint, of_personal boolean) returns boolean
language sql stable as $$
  select exists (
      select from chronawflow.audit_retention r join chronawflow.audit_entry s on s.event_id = r.event_id
       where r.log = of_log and at < case when of_personal then r.personal_before else r.minimum_index end)
    and not exists (
      select from chronawflow.legal_hold h join chronawflow.audit_log l on l.tenant = h.tenant
       where l.id = of_log and h.lifted_at is null)
$$;

-- Whatever role asks: an event goes by a retention alone, before its entry.
create function chronawflow.only_retain_event() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from chronawflow.audit_entry n
                                   where n.event_id = old.id and chronawflow.may_drop(n.log, n.index, false)) then
    return old;
  end if;
  raise exception '% on %.% is refused: the audit log is insert-only', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

-- An entry goes when its hash is kept.
create function chronawflow.only_retain_entry() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and chronawflow.may_drop(old.log, old.index, false)
     and exists (select from chronawflow.audit_dropped d
                  where d.log = old.log and d.index = old.index / 256
                    and substring(d.hashes from (old.index % 256)::integer * 32 + 1 for 32) = sha256('\x00'::bytea || old.entry)) then
    return old;
  end if;
  raise exception '% on %.% is refused: the audit log is insert-only', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

-- As 013-erasure.sql has it, and a retention takes the row of an event that it takes.
create or replace function chronawflow.only_erase() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from chronawflow.audit_entry n
                                   where n.event_id = old.event_id and chronawflow.may_drop(n.log, n.index, true)) then
    return old;
  end if;
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

drop trigger audit_event_insert_only on chronawflow.audit_event;
create trigger audit_event_insert_only before update or delete on chronawflow.audit_event
  for each row execute function chronawflow.only_retain_event();
alter table chronawflow.audit_event enable always trigger audit_event_insert_only;

drop trigger audit_entry_insert_only on chronawflow.audit_entry;
create trigger audit_entry_insert_only before update or delete on chronawflow.audit_entry
  for each row execute function chronawflow.only_retain_entry();
alter table chronawflow.audit_entry enable always trigger audit_entry_insert_only;

do $$
declare
  kept text;
begin
  foreach kept in array array['audit_retention', 'audit_dropped'] loop
    execute format('create trigger %I before update or delete on chronawflow.%I
      for each row execute function chronawflow.refuse_change()', kept || '_insert_only', kept);
    execute format('create trigger %I before truncate on chronawflow.%I
      for each statement execute function chronawflow.refuse_change()', kept || '_no_truncate', kept);
    execute format('alter table chronawflow.%I enable always trigger %I', kept, kept || '_insert_only');
    execute format('alter table chronawflow.%I enable always trigger %I', kept, kept || '_no_truncate');
  end loop;
end $$;
