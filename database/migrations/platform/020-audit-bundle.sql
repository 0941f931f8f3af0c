-- Sealed entries in bundles. A row for each entry, with its three indexes, was two thirds of what sealing cost
-- (docs/decisions/audit-speed.md); now a row holds what one batch adds to one bundle of 256, in the very bytes that an export has of it
-- (C2SP tlog-tiles, "Log entries"). Rows are only added, as before.

create table chronawflow.audit_bundle (
  log       integer not null references chronawflow.audit_log,
  -- Index of its first entry; those of a row lie within one bundle of 256.
  first     bigint not null check (first >= 0),
  count     integer not null check (count > 0 and first % 256 + count <= 256),
  -- Each entry behind its length in two bytes, the higher one first.
  entries   bytea not null,
  -- Of its events, in the same order; none in the platform log, whose entries are the others' checkpoints.
  event_ids text[] not null check (cardinality(event_ids) in (0, count)),
  -- Of the transaction that wrote the last of its events: a log has its events in the order of their transactions.
  last_xid  xid8 not null,
  primary key (log, first)
);
create index audit_bundle_of_event on chronawflow.audit_bundle (log, last_xid);

-- Its own way to compress is a third as fast, and a server may be built without this one.
do $$
begin
  alter table chronawflow.audit_bundle alter column entries set compression lz4, alter column event_ids set compression lz4;
exception when feature_not_supported then null;
end $$;

-- Where a checkpoint stands in the platform log; null for the platform's own.
alter table chronawflow.audit_checkpoint add column leaf bigint;

-- What was sealed by now. Its guard is put aside for this transaction alone.
alter table chronawflow.audit_checkpoint disable trigger audit_checkpoint_insert_only;
update chronawflow.audit_checkpoint c set leaf = p.index
  from (select split_part(encode(n.entry, 'escape'), E'\n', 1) as origin, split_part(encode(n.entry, 'escape'), E'\n', 2) as size, n.index
          from chronawflow.audit_entry n join chronawflow.audit_log l on l.id = n.log where l.kind = 'platform') p
  join chronawflow.audit_log l on l.origin = p.origin
 where c.log = l.id and c.size::text = p.size;
alter table chronawflow.audit_checkpoint enable always trigger audit_checkpoint_insert_only;

insert into chronawflow.audit_bundle (log, first, count, entries, event_ids, last_xid)
select log, first, count, entries, event_ids,
       -- Of events that are gone it is that of those before.
       coalesce((max(last_xid) over (partition by log order by first))::text, '0')::xid8
  from (
    select n.log, min(n.index) as first, count(*)::integer as count,
           string_agg(substring(int4send(octet_length(n.entry)) from 3) || n.entry, ''::bytea order by n.index) as entries,
           case when l.kind = 'platform' then '{}' else array_agg(coalesce(n.event_id, '') order by n.index) end as event_ids,
           max(e.xid::text::numeric) as last_xid
      from chronawflow.audit_entry n join chronawflow.audit_log l on l.id = n.log
      left join chronawflow.audit_event e on e.id = n.event_id
     group by n.log, l.kind, n.index / 256
  ) carried;

-- Which event is which entry.
create view chronawflow.audit_place as
select b.log, b.first + p.n - 1 as index, p.event_id
  from chronawflow.audit_bundle b cross join unnest(b.event_ids) with ordinality p (event_id, n);

-- The same of one event of a tenant (null: of none) and a transaction: a few rows are looked at, however long the log is.
create function chronawflow.place_of(tenant text, xid xid8, event_id text) returns table (log integer, index bigint)
language sql stable as $$
  select b.log, b.first + array_position(b.event_ids, $3) - 1
    from chronawflow.audit_log l join chronawflow.audit_bundle b on b.log = l.id
   where l.kind = case when $1 is null then 'system' else 'tenant' end and coalesce(l.tenant, '') = coalesce($1, '')
     and b.last_xid >= $2
     and b.last_xid <= coalesce((select n.last_xid from chronawflow.audit_bundle n
                                  where n.log = l.id and n.last_xid > $2 order by n.last_xid limit 1), $2)
     and $3 = any (b.event_ids)
$$;

-- The same of an event that is there.
create function chronawflow.place_of_event(event_id text) returns table (log integer, index bigint)
language sql stable as $$
  select p.log, p.index from chronawflow.audit_event e cross join lateral chronawflow.place_of(e.tenant, e.xid, e.id) p where e.id = $1
$$;

-- The hashes of the leaves that these entries are, one after the other; nothing of entries that are cut short.
create function chronawflow.leaf_hashes(entries bytea) returns bytea language plpgsql immutable as $$
declare
  -- Read from where it is stored once, not for each byte.
  bytes  bytea := entries || ''::bytea;
  hashes bytea := ''::bytea;
  at     integer := 0;
  length integer;
begin
  while at < octet_length(bytes) loop
    if at + 2 > octet_length(bytes) then return ''::bytea; end if;
    length := get_byte(bytes, at) * 256 + get_byte(bytes, at + 1);
    at := at + 2 + length;
    if at > octet_length(bytes) then return ''::bytea; end if;
    hashes := hashes || sha256('\x00'::bytea || substring(bytes from at - length + 1 for length));
  end loop;
  return hashes;
end $$;

-- The guards of 016-audit-retention.sql, which looked at entries.
create or replace function chronawflow.may_drop(of_log integer, at bigint, of_personal boolean) returns boolean
language sql stable as $$
  select exists (
      select from chronawflow.audit_retention r
       where r.log = of_log and at < case when of_personal then r.personal_before else r.minimum_index end
         and exists (select from chronawflow.place_of_event(r.event_id)))
    and not exists (
      select from chronawflow.legal_hold h join chronawflow.audit_log l on l.tenant = h.tenant
       where l.id = of_log and h.lifted_at is null)
$$;

create or replace function chronawflow.only_retain_event() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from chronawflow.place_of(old.tenant, old.xid, old.id) n
                                   where chronawflow.may_drop(n.log, n.index, false)) then
    return old;
  end if;
  raise exception '% on %.% is refused: the audit log is insert-only', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create function chronawflow.only_retain_bundle() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and chronawflow.may_drop(old.log, old.first + old.count - 1, false)
     and exists (select from chronawflow.audit_dropped d
                  where d.log = old.log and d.index = old.first / 256
                    and substring(d.hashes from (old.first % 256)::integer * 32 + 1 for old.count * 32) = chronawflow.leaf_hashes(old.entries)) then
    return old;
  end if;
  raise exception '% on %.% is refused: the audit log is insert-only', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create or replace function chronawflow.only_erase() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from chronawflow.place_of_event(old.event_id) n
                                   where chronawflow.may_drop(n.log, n.index, true)) then
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

create trigger audit_bundle_insert_only before update or delete on chronawflow.audit_bundle
  for each row execute function chronawflow.only_retain_bundle();
create trigger audit_bundle_no_truncate before truncate on chronawflow.audit_bundle
  for each statement execute function chronawflow.refuse_change();
alter table chronawflow.audit_bundle enable always trigger audit_bundle_insert_only;
alter table chronawflow.audit_bundle enable always trigger audit_bundle_no_truncate;

drop table chronawflow.audit_entry;
drop function chronawflow.only_retain_entry();
