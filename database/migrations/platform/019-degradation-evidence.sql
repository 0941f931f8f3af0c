-- What looks at a scope have last seen that calls for a change, and when (milliseconds since the epoch, by this clock): a change that
-- nobody has signed is published only when it follows from it.
alter table chronawflow.degradation_level add column evidence jsonb not null default '{}';
