-- Nothing asks for a tenant's events by this index, and each insert paid for it: 0.87 of a plain insert with it, 0.93 without. Whoever looks
-- for them names a time, which audit_event_by_time finds. docs/decisions/audit-speed.md has the figures.
drop index chronawflow.audit_event_by_tenant;
