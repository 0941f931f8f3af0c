-- When levels were left towards normal in the last hour, by this clock: the budget of a scope is judged by it where a change is
-- published, whatever a controller remembers.
alter table chronawflow.degradation_level add column recovered_at timestamptz[] not null default '{}';
