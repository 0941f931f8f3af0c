-- Effects that a restore took back while the records of what had them stay; core/recovery/README.md, invariant 21.
create table chronawflow.undone_effect (
  restore_id   text not null,
  tenant       text not null,
  -- the end of a job, a step of a job (`ctx.once`), or another request (IdempotencyManager)
  kind         text not null check (kind in ('job', 'step', 'request')),
  -- of the job; of a request its scope and key
  type         text not null,
  key          text not null,
  -- '' but for a step
  step         text not null default '',
  -- whoever completed it: a record that was completed again since has another owner
  owner        text not null,
  completed_at timestamptz not null,
  state        text not null default 'open' check (state in ('open', 'redriven', 'left')),
  decided_by   text,
  decided_at   timestamptz,
  primary key (restore_id, tenant, kind, type, key, step)
);
create index undone_effect_open on chronawflow.undone_effect (tenant, type, key) where state = 'open';

-- Names of the calls to outside systems that attempts announced: shown before the job runs again.
alter table chronawflow.job add column outside text[] not null default '{}';
