create table chronawflow.audit_event (
  id         text primary key,
  at         timestamptz not null default clock_timestamp(),
  actor      text not null,
  action     text not null,
  tenant     text,
  object     text,
  outcome    text not null,
  request    text,
  details    jsonb not null default '{}'
);
create index audit_event_by_time on chronawflow.audit_event (at);
create index audit_event_by_tenant on chronawflow.audit_event (tenant, at);

-- Insert-only: nobody but the owner of the schema could drop the trigger, and the running role is not the owner.
create function chronawflow.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on %.% is refused: the audit log is insert-only', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
create trigger audit_event_insert_only before update or delete on chronawflow.audit_event
  for each row execute function chronawflow.refuse_change();
create trigger audit_event_no_truncate before truncate on chronawflow.audit_event
  for each statement execute function chronawflow.refuse_change();
alter table chronawflow.audit_event enable always trigger audit_event_insert_only;
alter table chronawflow.audit_event enable always trigger audit_event_no_truncate;

create table chronawflow.recovery_point (
  id            text primary key,
  kind          text not null check (kind in ('full', 'differential', 'incremental', 'named')),
  name          text not null unique,
  system_id     text not null,
  timeline      integer not null,
  lsn           pg_lsn not null,
  at            timestamptz not null,
  backup_label  text,
  fence         text,
  created_by    text not null,
  reason        text,
  workflow_id   text,
  recorded_at   timestamptz not null default clock_timestamp()
);
create index recovery_point_by_time on chronawflow.recovery_point (at);

create table chronawflow.restore (
  id            text primary key,
  kind          text not null check (kind in ('restore', 'undo', 'cluster')),
  tenant        text,
  workflow_id   text not null,
  requested_by  text not null,
  reason        text,
  target        jsonb,
  phase         text not null,
  outcome       text,
  preview       jsonb,
  report        jsonb,
  started_at    timestamptz not null default clock_timestamp(),
  finished_at   timestamptz
);
create index restore_by_tenant on chronawflow.restore (tenant, started_at desc);
