-- Holds: a quarantine and a pause may stand beside each other; a rule's may end by itself; a release may take its time.
alter table chronawflow.job_hold
  add column kind text not null default 'quarantine' check (kind in ('quarantine', 'pause')),
  -- a rule does not stop core types for longer
  add column until timestamptz,
  -- being released since then, at so many jobs per second, the next one not before that time
  add column released_at timestamptz,
  add column release_rate real check (release_rate > 0),
  add column release_next timestamptz,
  add constraint job_hold_release
    check (num_nulls(released_at, release_rate, release_next) in (0, 3)),
  drop constraint job_hold_pkey,
  add primary key (tenant, type, key, kind);

-- How attempts ended, for the rules of the quarantine.
create table chronawflow.job_outcome (
  tenant    text not null,
  type      text not null,
  -- beginning of the tenth of the window in which they ended
  since     timestamptz not null,
  succeeded integer not null,
  failed    integer not null,
  primary key (tenant, type, since)
) with (fillfactor = 80);
