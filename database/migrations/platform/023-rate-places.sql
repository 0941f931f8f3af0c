-- A process that was killed and the one that has taken its place are both members for a while; counted as two that are connected,
-- they took the share that is kept free for a third one that is cut off. core/rate-limit/global/README.md, invariant 4.
alter table chronawflow.rate_member add column joined_at timestamptz not null default clock_timestamp();

-- Of those that are connected count as many as were there at the same time: `mostAtOnce` of core/rate-limit/global/ledger.pure.ts.
-- They are sorted only when it matters, which is while there are more members than shares.
create or replace function chronawflow.rate_shares(
  p_slot bigint, p_ahead integer, p_slot_ms double precision, p_memory integer, p_share double precision,
  p_at double precision, p_silence double precision, p_ttl double precision
) returns double precision[] language sql stable as $$
  with one as (
    -- The default of `joined_at` is a little later than the statement that sets both.
    select chronawflow.epoch_ms(least(joined_at, last_seen)) as joined, chronawflow.epoch_ms(last_seen) as seen,
      least(greatest(floor((chronawflow.epoch_ms(last_seen) + p_silence) / p_slot_ms) - p_slot, -1), p_ahead) as not_before,
      case when rejoined_at > '-infinity'
        then least(greatest(floor(chronawflow.epoch_ms(rejoined_at) / p_slot_ms) + p_memory - p_slot, -1), p_ahead)
        else -1 end as until
    from chronawflow.rate_member
    where chronawflow.epoch_ms(last_seen) > p_at - p_ttl
  ), member as (
    select not_before, until, count(*) as members from one group by 1, 2
  ), slot as (
    select j, coalesce(sum(members), 0)::double precision as living,
      coalesce(sum(members) filter (where j > not_before or j <= until), 0)::double precision as local,
      coalesce(sum(members) filter (where until < 0 and not_before >= 0 and j > not_before), 0)::double precision as parted
    from generate_series(0, p_ahead) as j left join member on true
    group by j
  )
  select array_agg(1 - case
    when living * p_share <= 1 then local * p_share
    else least(local * p_share, greatest(0, 1 - greatest(0, (
      select coalesce(max(there), 0) from (
        select sum(change) over (order by at, change desc rows unbounded preceding) as there
        from one, lateral (values (joined, 1), (seen, -1)) as of (at, change)
        where until < 0 and not_before >= 0
      ) as moment
    ) - parted) * p_share))
  end order by j) from slot
$$;
