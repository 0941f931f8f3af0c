-- Which job stands for an input for a time: submissions with `dedupe: { within }` and the same input are that job.
create table chronawflow.job_dedupe (
  tenant      text not null,
  type        text not null,
  fingerprint text not null,
  key         text not null,
  until       timestamptz not null,
  primary key (tenant, type, fingerprint)
);
create index job_dedupe_until on chronawflow.job_dedupe (until);
