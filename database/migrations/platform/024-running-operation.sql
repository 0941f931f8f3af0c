-- What runs now and must not be disturbed: no experiment starts meanwhile. A kind of operation that comes later adds its own rows
-- here, and every check holds for it from then on.
create view chronawflow.running_operation (kind, tenant, started_at) as
select 'restore'::text, tenant, started_at
  from chronawflow.restore
 -- A drill restores beside what runs and touches nothing of it.
 where finished_at is null and kind <> 'drill';
