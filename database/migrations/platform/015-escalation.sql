-- Who was told of what, and who has taken it; core/escalation/README.md. Times are of this database's clock.
create table chronawflow.escalation (
  id          text primary key,
  workflow_id text not null,
  severity    text not null,
  summary     text not null,
  runbook     text,
  labels      jsonb not null,
  source      text not null,
  state       text not null check (state in ('open', 'acknowledged', 'resolved', 'unanswered', 'noted', 'cancelled')),
  level       smallint not null default 0,
  times       integer not null default 1,
  by          text,
  opened_at   timestamptz not null default clock_timestamp(),
  ended_at    timestamptz
);
create index escalation_by_time on chronawflow.escalation (opened_at);
create index escalation_alive on chronawflow.escalation (opened_at) where ended_at is null;

-- Written before a page is sent: one that was being sent when its sender died is sent again, with the same key.
create table chronawflow.escalation_page (
  escalation text not null references chronawflow.escalation,
  step       smallint not null,
  channel    smallint not null,
  level      smallint not null,
  kind       text not null,
  state      text not null check (state in ('sending', 'sent', 'failed')),
  attempts   integer not null default 1,
  note       text,
  at         timestamptz not null default clock_timestamp(),
  primary key (escalation, step, channel)
);

-- Maintenance windows: alerts with all of these labels page nobody meanwhile.
create table chronawflow.escalation_silence (
  id        text primary key,
  labels    jsonb not null check (labels <> '{}'),
  starts_at timestamptz not null,
  ends_at   timestamptz not null check (ends_at > starts_at),
  by        text not null,
  reason    text not null
);
create index escalation_silence_end on chronawflow.escalation_silence (ends_at);
