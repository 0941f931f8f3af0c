-- The rights of the role `chronawflow_control` in the control-plane database: what the controllers' process
-- (`chronawflow worker --control`) needs. It reads no recovery point, of a
-- restore only whether it runs, and it adds to the audit log without
-- changing or removing what is there.
--
-- Run as the owner of the schema `chronawflow`, again after each upgrade; `chronawflow prepare` does both where it prepares the
-- database. The role's login and password are yours to set, or `chronawflow prepare` sets those of `control.database`:
--
--   create role chronawflow_control login password '…';
--   psql -d chronawflow -f control-role.sql

grant usage on schema chronawflow to chronawflow_control;

-- Events are added; `id` is read to write none twice.
grant insert on chronawflow.audit_event to chronawflow_control;
grant select (id) on chronawflow.audit_event to chronawflow_control;

-- What follows from what processes see of the services they call.
grant select on chronawflow.breaker_observer, chronawflow.breaker_vote, chronawflow.breaker_state to chronawflow_control;

-- Degradation: levels are published, processes' reports read and forgotten.
grant select, insert, update on chronawflow.degradation_level to chronawflow_control;
grant select, insert, update, delete on chronawflow.degradation_process to chronawflow_control;

-- Chaos: leases of faults and runs of experiments; of restores and other operations only whether one runs, and whose.
grant select, insert, update on chronawflow.fault_lease, chronawflow.chaos_run to chronawflow_control;
grant select (kind, tenant, finished_at) on chronawflow.restore to chronawflow_control;
grant select on chronawflow.running_operation to chronawflow_control;

-- Payloads in Temporal, where they are encrypted: keys are read and made, never removed.
grant select, insert, update on chronawflow.payload_owner, chronawflow.payload_key to chronawflow_control;

-- Containment: what is contained is written down; breakers are isolated and tenants held to a floor, for a time.
grant select, insert, update on chronawflow.containment, chronawflow.containment_part to chronawflow_control;
grant insert, update on chronawflow.breaker_state to chronawflow_control;
grant select, insert, update, delete on chronawflow.endpoint_drain, chronawflow.endpoint_drain_process to chronawflow_control;
grant select, insert, update on chronawflow.rate_rule to chronawflow_control;
grant usage on sequence chronawflow.rate_rule_version to chronawflow_control;

-- Escalation: who was told of what, and what is silenced.
grant select, insert, update on chronawflow.escalation, chronawflow.escalation_page to chronawflow_control;
grant select on chronawflow.escalation_silence to chronawflow_control;

-- Operators who sign: what they sign is verified in the transaction of the change, and used up there; a witness is shown the log.
grant select on chronawflow.operator_statement to chronawflow_control;
grant select, insert on chronawflow.used_intent to chronawflow_control;
grant select on chronawflow.audit_log, chronawflow.audit_bundle, chronawflow.audit_subtree, chronawflow.audit_checkpoint,
  chronawflow.audit_cosignature to chronawflow_control;
