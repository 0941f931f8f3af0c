-- The rights of the role `chronawflow` in the application's database: the least that a tenant restore needs.
--
-- Run as a superuser (or as the database's owner plus the two grants marked "superuser"), once per database, again
-- after tables were added by other owners. The role's login and password are yours to set:
--
--   create role chronawflow login password '…' bypassrls;
--   PGOPTIONS='-c chronawflow.schemas=public,billing' psql -d app -f application-role.sql
--
-- `chronawflow.schemas` lists the schemas with tenant tables; the default is public.
-- BYPASSRLS is needed only where row level security is on: a role that sees part of a tenant must not restore it.

create schema if not exists chronawflow authorization chronawflow;

do $$
declare
  item text;
begin
  foreach item in array string_to_array(coalesce(nullif(current_setting('chronawflow.schemas', true), ''), 'public'), ',')
  loop
    execute format('grant usage on schema %I to chronawflow', trim(item));
    -- TRIGGER: the freeze creates its triggers; the role never owns the application's tables.
    execute format('grant select, insert, update, delete, trigger on all tables in schema %I to chronawflow', trim(item));
    -- USAGE moves a sequence forward by nextval; UPDATE (setval, which could move it back) is not given.
    execute format('grant select, usage on all sequences in schema %I to chronawflow', trim(item));
    -- For tables made later by the role that runs this file; for other owners' tables run it again.
    execute format('alter default privileges in schema %I grant select, insert, update, delete, trigger on tables to chronawflow', trim(item));
    execute format('alter default privileges in schema %I grant select, usage on sequences to chronawflow', trim(item));
  end loop;
end $$;

-- superuser: the merge writes the tenant's rows without firing the application's triggers.
grant set on parameter session_replication_role to chronawflow;
-- superuser: the fence closes its WAL segment so that it is archived at once; named recovery points.
grant execute on function pg_switch_wal() to chronawflow;
grant execute on function pg_create_restore_point(text) to chronawflow;
-- Names the session that blocks a freeze, and reads settings that a scratch cluster has to match.
grant pg_monitor to chronawflow;
