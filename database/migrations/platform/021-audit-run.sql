-- Which run of the workflow that asked (`request`): the ID stands for all of them. Events from before have none, and are sealed as they were.
alter table chronawflow.audit_event add column run text;
