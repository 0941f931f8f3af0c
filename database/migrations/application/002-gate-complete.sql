-- When every table of the freeze had its triggers. Absent: the freeze is being made, and the gate's time limit is a short
-- lease that its maker renews.
alter table chronawflow.gate add column complete_at timestamptz;
