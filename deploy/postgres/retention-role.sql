-- The rights of the role `chronawflow_retention` in the control-plane database: what drops the oldest part of the audit log
-- (`chronawflow audit retain`, audit.retention.database). It cannot decide what goes, and triggers let it drop only what a sealed
-- decision names, and keep the hashes.
--
-- Run as the owner of the schema `chronawflow`, again after each upgrade; `chronawflow prepare` does both where it prepares the
-- database. The role's login and password are yours to set, or `chronawflow prepare` sets those of `audit.retention.database`:
--
--   create role chronawflow_retention login password '…';
--   psql -d chronawflow -f retention-role.sql

grant usage on schema chronawflow to chronawflow_retention;

-- What is decided, what was sealed, and what forbids it.
grant select on chronawflow.audit_log, chronawflow.audit_subtree, chronawflow.audit_retention, chronawflow.legal_hold
  to chronawflow_retention;

-- What goes, and the hashes that stay.
grant select, delete on chronawflow.audit_event, chronawflow.audit_bundle, chronawflow.audit_personal to chronawflow_retention;
grant select, insert on chronawflow.audit_dropped to chronawflow_retention;

-- That it has gone is an event.
grant insert on chronawflow.audit_event to chronawflow_retention;
