-- Jobs whose process died under them run alone; core/jobs/README.md, invariant 12.
alter table chronawflow.job
  -- the process that the last attempt was lost with, and when its lease was over; null for a job above suspicion
  add column lost_with text,
  add column lost_at timestamptz,
  -- the attempt under way, or the last one, had its process for itself
  add column alone boolean not null default false,
  -- attempts in a row that were lost although they were alone
  add column lost_alone smallint not null default 0;

-- A hold may be one job's; '' stands for any.
alter table chronawflow.job_hold
  add column key text not null default '',
  drop constraint job_hold_pkey,
  add primary key (tenant, type, key);
