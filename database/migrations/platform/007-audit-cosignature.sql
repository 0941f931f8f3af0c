-- What witnesses have signed of the platform log's checkpoints: lines that belong below the note of that size.
create table chronawflow.audit_cosignature (
  log       integer not null,
  size      bigint not null,
  name      text not null,
  line      text not null,
  signed_at timestamptz not null default clock_timestamp(),
  primary key (log, size, name)
);
create trigger audit_cosignature_insert_only before update or delete on chronawflow.audit_cosignature
  for each row execute function chronawflow.refuse_change();
create trigger audit_cosignature_no_truncate before truncate on chronawflow.audit_cosignature
  for each statement execute function chronawflow.refuse_change();
alter table chronawflow.audit_cosignature enable always trigger audit_cosignature_insert_only;
alter table chronawflow.audit_cosignature enable always trigger audit_cosignature_no_truncate;
