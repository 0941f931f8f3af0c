-- A drill is recorded beside the restores it stands for.
alter table chronawflow.restore drop constraint restore_kind_check;
alter table chronawflow.restore add constraint restore_kind_check
  check (kind in ('restore', 'undo', 'cluster', 'drill'));
create index restore_unfinished on chronawflow.restore (tenant) where finished_at is null;
