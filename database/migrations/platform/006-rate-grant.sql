-- Leases for many slots ahead, and token buckets: core/rate-limit/global/README.md. `rate_grant` is the function `lease` of
-- core/rate-limit/global/ledger.pure.ts, held equal to it by a property test. `rate_lease` stays for processes that have not
-- been updated; both keep to what the other has granted.
-- What a bucket held when the slot `first` began; null for windows.
alter table chronawflow.rate_budget add column level double precision;

-- For each slot from `p_slot` on, `p_ahead` of them beside it, the share of the limit that is not kept free for processes that
-- may be deciding by their own share. Members that stand alike are counted once: there may be a thousand.
create function chronawflow.rate_shares(
  p_slot bigint, p_ahead integer, p_slot_ms double precision, p_memory integer, p_share double precision,
  p_at double precision, p_silence double precision, p_ttl double precision
) returns double precision[] language sql stable as $$
  with member as (
    select least(greatest(floor((chronawflow.epoch_ms(last_seen) + p_silence) / p_slot_ms) - p_slot, -1), p_ahead) as not_before,
      case when rejoined_at > '-infinity'
        then least(greatest(floor(chronawflow.epoch_ms(rejoined_at) / p_slot_ms) + p_memory - p_slot, -1), p_ahead)
        else -1 end as until,
      count(*) as members
    from chronawflow.rate_member
    where chronawflow.epoch_ms(last_seen) > p_at - p_ttl
    group by 1, 2
  ), slot as (
    select j, coalesce(sum(members), 0)::double precision as living,
      coalesce(sum(members) filter (where j > not_before or j <= until), 0)::double precision as local
    from generate_series(0, p_ahead) as j left join member on true
    group by j
  )
  select array_agg(1 - least(local * p_share, greatest(0, 1 - (living - local) * p_share)) order by j) from slot
$$;

create function chronawflow.rate_grant(
  p_process text, p_key text, p_limit double precision, p_slot_ms double precision, p_back integer, p_ahead integer,
  p_refill double precision, p_memory integer, p_share double precision, p_want_now double precision,
  p_need_now double precision, p_want_ahead double precision[], p_return_first bigint, p_returned double precision[], p_deadline double precision,
  p_silence double precision, p_ttl double precision, p_ahead_share double precision
) returns table (
  at double precision, late boolean, slot bigint, now double precision, ahead double precision[],
  "left" double precision, asked integer
) language plpgsql as $$
declare
  v_row chronawflow.rate_budget;
  v_granted double precision[];
  v_open double precision[];
  v_rooms double precision[] := '{}';
  v_level double precision;
  v_full double precision;
  v_used double precision;
  v_held double precision;
  v_filled double precision;
  v_over double precision[] := '{}';
  v_share double precision;
  v_taken double precision := 0;
  v_tokens double precision;
  v_first bigint;
  v_passed bigint;
  v_second bigint;
  v_age bigint;
  v_place bigint;
  v_wall timestamptz;
  v_shared boolean := p_back > 0;
begin
  at := null; late := false; now := 0; ahead := '{}'; "left" := 0; asked := 0;
  select * into v_row from chronawflow.rate_budget b where b.key = p_key for update;
  -- After the wait for the lock: what is decided is decided at this time.
  v_wall := clock_timestamp();
  at := chronawflow.epoch_ms(v_wall);
  slot := floor(at / p_slot_ms);
  if v_row.key is null and at <= p_deadline then
    -- Whoever comes second waits here for the first one's commit, and then finds its row.
    insert into chronawflow.rate_budget (key, slot_ms, back, first, granted, second, asked, asked_before, used_at, level)
    values (p_key, p_slot_ms, p_back, slot - p_back, array_fill(0::double precision, array[p_back + 1 + p_ahead]),
      0, 0, 0, v_wall, case when p_refill is not null then p_limit end) on conflict do nothing;
    select * into v_row from chronawflow.rate_budget b where b.key = p_key for update;
    v_wall := clock_timestamp();
    at := chronawflow.epoch_ms(v_wall);
    slot := floor(at / p_slot_ms);
  end if;
  late := at > p_deadline;
  if late then
    return next;
    return;
  end if;
  insert into chronawflow.rate_member as m (process, last_seen, rejoined_at)
  values (p_process, v_wall, '-infinity')
  -- A process that has just been seen is not written again: its row is everybody's.
  on conflict (process) do update set last_seen = v_wall where m.last_seen < v_wall - interval '250 ms';
  v_open := chronawflow.rate_shares(slot, p_ahead, p_slot_ms, p_memory, p_share, at, p_silence, p_ttl);

  v_first := slot - p_back;
  if p_refill is not null then
    v_full := p_limit * v_open[1];
    v_level := v_full;
  end if;
  v_passed := slot - (v_row.first + v_row.back);
  if v_row.slot_ms <> p_slot_ms or v_row.back <> p_back or v_passed < 0
    or (v_row.level is null) <> (p_refill is null)
  then
    v_granted := array_fill(0::double precision, array[p_back + 1 + p_ahead]);
    v_granted[p_back + 1] := (select least(sum(one), v_full) from unnest(v_row.granted) as one);
  else
    v_granted := array(select coalesce(v_row.granted[s - v_row.first + 1], 0)
      from generate_series(v_first, slot + p_ahead) as s order by s);
    if p_refill is not null then
      v_level := v_row.level;
      for j in 1 .. least(v_passed, cardinality(v_row.granted)) loop
        v_level := least(v_full, v_level - v_row.granted[j] + p_limit * p_refill * v_open[1]);
      end loop;
      v_level := least(v_full, v_level
        + greatest(0, v_passed - cardinality(v_row.granted)) * (p_limit * p_refill * v_open[1]));
    end if;
  end if;

  for i in 1 .. cardinality(p_returned) loop
    v_place := p_return_first - v_first + i;
    if v_place between 1 and p_back + 1 + p_ahead then
      v_granted[v_place] := greatest(0, v_granted[v_place] - p_returned[i]);
    end if;
  end loop;
  if p_refill is null then
    v_used := (select sum(one) from unnest(v_granted[1 : p_back + 1]) as one);
    for j in 0 .. p_ahead loop
      if j > 0 then
        v_used := v_used + v_granted[p_back + 1 + j] - v_granted[j];
      end if;
      v_rooms[j + 1] := v_used;
    end loop;
    for j in reverse p_ahead + 1 .. 1 loop
      v_used := case when v_shared then greatest(v_used, v_rooms[j]) else v_rooms[j] end;
      v_rooms[j] := floor(p_limit * v_open[j] - v_used);
    end loop;
  else
    v_held := v_level;
    for i in 1 .. p_back + 1 + p_ahead loop
      v_share := v_open[greatest(1, i - p_back)];
      v_filled := v_held;
      if i > 1 then
        v_filled := v_held - v_granted[i - 1] + p_limit * p_refill * v_share;
        v_held := least(p_limit * v_share, v_filled);
      end if;
      if i > p_back then
        v_rooms[i - p_back] := v_held - v_granted[i];
        v_over[i - p_back] := v_filled - v_held;
      end if;
    end loop;
    for j in reverse p_ahead .. 1 loop
      v_rooms[j] := least(v_rooms[j], v_rooms[j + 1] + v_over[j + 1]);
    end loop;
    v_rooms := array(select floor(room) from unnest(v_rooms) with ordinality as r (room, j) order by j);
  end if;

  "left" := greatest(0, v_rooms[1]);
  now := case when "left" < p_need_now then 0 else least(p_want_now, "left") end;
  "left" := "left" - now;
  v_granted[p_back + 1] := v_granted[p_back + 1] + now;
  if v_shared then
    v_taken := now;
  end if;
  for k in 1 .. cardinality(p_want_ahead) loop
    v_tokens := least(p_want_ahead[k], floor(greatest(0, v_rooms[k + 1] - v_taken) * p_ahead_share));
    v_granted[p_back + 1 + k] := v_granted[p_back + 1 + k] + v_tokens;
    ahead := ahead || v_tokens;
    if v_shared then
      v_taken := v_taken + v_tokens;
    end if;
  end loop;

  v_second := floor(at / 1000);
  v_age := v_second - v_row.second;
  asked := case v_age when 0 then v_row.asked_before when 1 then v_row.asked else 0 end;
  update chronawflow.rate_budget b
  set slot_ms = p_slot_ms, back = p_back, first = v_first, granted = v_granted, level = v_level, second = v_second,
      asked = case v_age when 0 then v_row.asked else 0 end + 1, asked_before = rate_grant.asked, used_at = v_wall
  where b.key = p_key;
  return next;
end $$;
