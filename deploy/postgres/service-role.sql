-- The rights of the role `chronawflow_service` in the control-plane database: the least that an application's service needs
-- to share breakers and rate limits with other processes (docs/resilience/rate-limits.md, protection.md). It reads no audit event,
-- no restore and no recovery point, and changes no tenant's rules: that is for operators, under the role `chronawflow`.
--
-- Run as the owner of the schema `chronawflow`, again after each upgrade; `chronawflow prepare` does both where it prepares the
-- database. The role's login and password are yours to set:
--
--   create role chronawflow_service login password '…';
--   psql -d chronawflow -f service-role.sql

grant usage on schema chronawflow to chronawflow_service;

-- Global limits: leases of tokens, and who is there.
grant select, insert, update, delete on chronawflow.rate_budget, chronawflow.rate_member to chronawflow_service;
-- Tenants' own rules are followed.
grant select on chronawflow.rate_rule to chronawflow_service;

-- Shared breakers: what this process sees, and what follows from what all see.
grant select, insert, update, delete
  on chronawflow.breaker_observer, chronawflow.breaker_vote, chronawflow.breaker_state to chronawflow_service;

-- Transitions of its breakers are added to the audit log. `id` is read to write none twice.
grant insert on chronawflow.audit_event to chronawflow_service;
grant select (id) on chronawflow.audit_event to chronawflow_service;
-- What an event says of a person stands beside it.
grant insert on chronawflow.audit_personal to chronawflow_service;

-- Levels of degradation are followed; each process says what it sees and what it has applied.
grant select on chronawflow.degradation_level to chronawflow_service;
grant select, insert, update, delete on chronawflow.degradation_process to chronawflow_service;

-- Chaos: faults of the process's own calls are followed.
grant select (id, driver, target, parameters, deadline, ended_at, injected_at) on chronawflow.fault_lease to chronawflow_service;

-- Drained endpoints are followed; each process says what it still has under way there.
grant select on chronawflow.endpoint_drain to chronawflow_service;
grant select, insert, update on chronawflow.endpoint_drain_process to chronawflow_service;
-- … and among which endpoints it chooses.
grant select, insert, update on chronawflow.endpoint_known to chronawflow_service;
