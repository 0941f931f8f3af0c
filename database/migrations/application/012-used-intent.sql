-- Signed intents that changed something here, written in the change's own transaction: a control plane that was set back
-- does not make them good again.
create table chronawflow.used_intent (
  nonce     text primary key,
  owner     text not null,
  action    text not null,
  operator  text not null,
  tenant    text,
  intent    text not null,
  signature text not null,
  at        timestamptz not null default clock_timestamp()
);
