-- Limits over all processes: core/rate-limit/global/README.md. `rate_lease` is the function `lease` of
-- core/rate-limit/global/ledger.pure.ts, held equal to it by a property test.
create table chronawflow.rate_budget (
  key          text primary key,
  slot_ms      double precision not null,
  back         integer not null,
  first        bigint not null,
  granted      double precision[] not null,
  second       bigint not null,
  asked        integer not null,
  asked_before integer not null,
  used_at      timestamptz not null
) with (fillfactor = 50);

create table chronawflow.rate_member (
  process     text primary key,
  last_seen   timestamptz not null,
  rejoined_at timestamptz not null
) with (fillfactor = 50);

create table chronawflow.rate_rule (
  tenant     text primary key,
  rules      jsonb,
  version    bigint not null,
  changed_at timestamptz not null default clock_timestamp(),
  changed_by text not null
);
create sequence chronawflow.rate_rule_version;
create index rate_rule_by_version on chronawflow.rate_rule (version);

create function chronawflow.epoch_ms(at timestamptz) returns double precision
language sql immutable strict as $$ select (extract(epoch from at) * 1000)::double precision $$;

-- One statement says that the process lives; after `p_deadline` it says nothing. Returns the database's time.
create function chronawflow.rate_heartbeat(p_process text, p_deadline double precision, p_rejoin boolean)
returns table (at double precision, late boolean) language plpgsql as $$
declare
  v_at timestamptz := clock_timestamp();
begin
  at := chronawflow.epoch_ms(v_at);
  late := at > p_deadline;
  if not late then
    insert into chronawflow.rate_member as m (process, last_seen, rejoined_at)
    values (p_process, v_at, case when p_rejoin then v_at else '-infinity'::timestamptz end)
    on conflict (process) do update
      set last_seen = v_at, rejoined_at = case when p_rejoin then v_at else m.rejoined_at end;
  end if;
  return next;
end $$;

-- What is open in slot `p_of` of a row whose array begins at `p_first`.
create function chronawflow.rate_open(
  p_of bigint, p_first bigint, p_granted double precision[], p_limit double precision, p_slot_ms double precision,
  p_back integer, p_share double precision, p_at double precision, p_silence double precision, p_ttl double precision
) returns double precision language sql stable as $$
  with member as (
    select count(*) as living,
      count(*) filter (
        where chronawflow.epoch_ms(last_seen) < p_of * p_slot_ms - p_silence
           or (rejoined_at > '-infinity' and chronawflow.epoch_ms(rejoined_at) >= (p_of - p_back) * p_slot_ms)
      ) as local
    from chronawflow.rate_member
    where chronawflow.epoch_ms(last_seen) > p_at - p_ttl
  ), used as (
    select coalesce(sum(one), 0) as tokens
    from unnest(p_granted[p_of - p_back - p_first + 1 : p_of - p_first + 1]) as one
  )
  select greatest(0, floor(
    p_limit - least(local * p_share, greatest(0, 1 - (living - local) * p_share)) * p_limit - tokens))
  from member, used
$$;

create function chronawflow.rate_lease(
  p_process text, p_key text, p_limit double precision, p_slot_ms double precision, p_back integer,
  p_share double precision, p_want_now double precision, p_want_next double precision, p_return_slot bigint,
  p_returned double precision, p_deadline double precision, p_silence double precision, p_ttl double precision,
  p_ahead double precision
) returns table (
  at double precision, late boolean, slot bigint, now double precision, next double precision,
  "left" double precision, asked integer
) language plpgsql as $$
declare
  v_row chronawflow.rate_budget;
  v_granted double precision[];
  v_first bigint;
  v_open double precision;
  v_second bigint;
  v_age bigint;
  v_give bigint;
  v_wall timestamptz;
begin
  select * into v_row from chronawflow.rate_budget b where b.key = p_key for update;
  -- After the wait for the lock: what is decided is decided at this time.
  v_wall := clock_timestamp();
  at := chronawflow.epoch_ms(v_wall);
  late := at > p_deadline;
  slot := floor(at / p_slot_ms);
  now := 0; next := 0; "left" := 0; asked := 0;
  if late then
    return next;
    return;
  end if;
  if v_row.key is null then
    -- Whoever comes second waits here for the first one's commit, and then finds its row.
    insert into chronawflow.rate_budget values (p_key, p_slot_ms, p_back, slot - p_back,
      array_fill(0::double precision, array[p_back + 2]), 0, 0, 0, v_wall) on conflict do nothing;
    select * into v_row from chronawflow.rate_budget b where b.key = p_key for update;
    v_wall := clock_timestamp();
    at := chronawflow.epoch_ms(v_wall);
    slot := floor(at / p_slot_ms);
    late := at > p_deadline;
    if late then
      return next;
      return;
    end if;
  end if;
  insert into chronawflow.rate_member as m (process, last_seen, rejoined_at)
  values (p_process, v_wall, '-infinity')
  -- A process that has just been seen is not written again: its row is everybody's.
  on conflict (process) do update set last_seen = v_wall where m.last_seen < v_wall - interval '250 ms';

  v_first := slot - p_back;
  if v_row.slot_ms <> p_slot_ms or v_row.back <> p_back or slot < v_row.first + v_row.back then
    v_granted := array_fill(0::double precision, array[p_back + 2]);
    v_granted[p_back + 1] := (select sum(one) from unnest(v_row.granted) as one);
  else
    v_granted := array(
      select coalesce(v_row.granted[s - v_row.first + 1], 0) from generate_series(v_first, slot + 1) as s order by s);
  end if;
  v_give := p_return_slot - v_first + 1;
  if v_give between 1 and p_back + 2 then
    v_granted[v_give] := greatest(0, v_granted[v_give] - p_returned);
  end if;

  v_open := chronawflow.rate_open(slot, v_first, v_granted, p_limit, p_slot_ms, p_back, p_share, at, p_silence, p_ttl);
  if p_back > 0 then
    v_open := least(v_open, chronawflow.rate_open(
      slot + 1, v_first, v_granted, p_limit, p_slot_ms, p_back, p_share, at, p_silence, p_ttl));
  end if;
  now := least(p_want_now, v_open);
  v_granted[p_back + 1] := v_granted[p_back + 1] + now;
  if p_want_next > 0 then
    next := least(p_want_next, floor(p_ahead * chronawflow.rate_open(
      slot + 1, v_first, v_granted, p_limit, p_slot_ms, p_back, p_share, at, p_silence, p_ttl)));
    v_granted[p_back + 2] := v_granted[p_back + 2] + next;
  end if;
  "left" := v_open - now;

  v_second := floor(at / 1000);
  v_age := v_second - v_row.second;
  asked := case v_age when 0 then v_row.asked_before when 1 then v_row.asked else 0 end;
  update chronawflow.rate_budget b
  set slot_ms = p_slot_ms, back = p_back, first = v_first, granted = v_granted, second = v_second,
      asked = case v_age when 0 then v_row.asked else 0 end + 1, asked_before = rate_lease.asked, used_at = v_wall
  where b.key = p_key;
  return next;
end $$;
