-- How far the running attempt is, as its last renewal told: {"done": 40, "total": 100}.
alter table chronawflow.job add column progress jsonb;
