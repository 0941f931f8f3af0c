-- Worker processes that run jobs: how much may run at once decides how much is handed over.
create table chronawflow.job_worker (
  id      text primary key,
  slots   integer not null check (slots > 0),
  types   text[] not null,
  seen_at timestamptz not null default clock_timestamp()
);
