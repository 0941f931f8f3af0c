-- Events come in the order of their times, so a summary of each range of pages finds them as a tree of all of them does, and costs an
-- insert next to nothing. docs/decisions/audit-speed.md has the figures.
drop index chronawflow.audit_event_by_time;
create index audit_event_by_time on chronawflow.audit_event using brin (at) with (autosummarize = on);
