-- Who may do what: signed statements, each naming the one before it. A row has no authority by being here; its signature has.
create table chronawflow.operator_statement (
  seq       bigint primary key check (seq > 0),
  -- Canonical JSON, byte by byte what was signed.
  intent    text not null,
  signature text not null,
  at        timestamptz not null default clock_timestamp()
);

-- Intents that were used, by the operation that used them: nobody else can, and a retry finds its own.
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

do $$
declare
  kept text;
begin
  foreach kept in array array['operator_statement', 'used_intent'] loop
    execute format('create trigger %I before update or delete on chronawflow.%I
      for each row execute function chronawflow.refuse_change()', kept || '_insert_only', kept);
    execute format('create trigger %I before truncate on chronawflow.%I
      for each statement execute function chronawflow.refuse_change()', kept || '_no_truncate', kept);
    execute format('alter table chronawflow.%I enable always trigger %I', kept, kept || '_insert_only');
    execute format('alter table chronawflow.%I enable always trigger %I', kept, kept || '_no_truncate');
  end loop;
end $$;
