import type { ClientBase } from 'pg';
import type { BreakerKey } from '../breaker';
import { type Decision, keyColumns, type SharedState } from './shared-state';

export interface QuorumRules {
  readonly observer: string;
  readonly leaseMs: number;
  readonly quorum: number;
  readonly quorumShare: number;
}

/** Votes of processes that are there, and how many it takes; needs $4 lease, $5 quorum, $6 share. */
const COUNTED = `
  live as (
    select id from chronawflow.breaker_observer where seen_at > clock_timestamp() - $4 * interval '1 millisecond'),
  counted as (
    select v.service, v.operation, v.tenant, count(*) as votes, max(v.break_ms) as break_ms,
      (array_agg(v.reason order by v.observer))[1] as reason
    from chronawflow.breaker_vote v
    join unnest($1::text[], $2::text[], $3::text[]) k (service, operation, tenant)
      on (v.service, v.operation, v.tenant) = (k.service, k.operation, k.tenant)
    where v.observer in (select id from live)
    group by 1, 2, 3),
  needed as (select greatest($5::numeric, ceil($6::numeric * count(*))) as votes from live)`;

/**
 * Opens for everybody what enough processes have found broken. It changes only what still has the generation that was
 * read before: a decision in between, also one of an operator, wins.
 */
export async function openByQuorum(
  db: ClientBase,
  rules: QuorumRules,
  decisions: readonly Decision[],
): Promise<number> {
  const { rowCount } = await db.query(
    `with ${COUNTED}
     insert into chronawflow.breaker_state as s
       (service, operation, tenant, generation, state, reason, until, changed_by)
     select c.service, c.operation, c.tenant, d.generation + 1, 'open', c.reason,
       clock_timestamp() + c.break_ms * interval '1 millisecond', $7
     from counted c
     join unnest($1::text[], $2::text[], $3::text[], $8::bigint[]) d (service, operation, tenant, generation)
       on (c.service, c.operation, c.tenant) = (d.service, d.operation, d.tenant)
     where c.votes >= (select votes from needed)
     -- In one order in all processes, or two of them could wait for each other.
     order by 1, 2, 3
     on conflict (service, operation, tenant) do update
       set generation = excluded.generation, state = 'open', reason = excluded.reason, until = excluded.until,
         changed_at = clock_timestamp(), changed_by = excluded.changed_by
       where s.generation = excluded.generation - 1
         and (s.state = 'closed' or s.state = 'open' and s.until <= clock_timestamp())`,
    parameters(rules, decisions),
  );
  return rowCount ?? 0;
}

/** Closes for everybody what this process has found to work again, unless enough others still have it open. */
export async function closeWithoutQuorum(
  db: ClientBase,
  rules: QuorumRules,
  decisions: readonly Decision[],
): Promise<number> {
  const { rowCount } = await db.query(
    `with ${COUNTED}
     update chronawflow.breaker_state s
       set generation = s.generation + 1, state = 'closed', reason = 'it works again', until = null,
         changed_at = clock_timestamp(), changed_by = $7
     from unnest($1::text[], $2::text[], $3::text[], $8::bigint[]) d (service, operation, tenant, generation)
     left join counted c on (c.service, c.operation, c.tenant) = (d.service, d.operation, d.tenant)
     where (s.service, s.operation, s.tenant) = (d.service, d.operation, d.tenant)
       and s.generation = d.generation and s.state = 'open'
       and coalesce(c.votes, 0) < (select votes from needed)`,
    parameters(rules, decisions),
  );
  return rowCount ?? 0;
}

/** An operator's word, which no quorum changes. */
export async function decideByHand(
  db: ClientBase,
  key: BreakerKey,
  state: Exclude<SharedState['state'], 'open'>,
  { why, by }: { readonly why: string; readonly by: string },
): Promise<void> {
  await db.query(
    `insert into chronawflow.breaker_state as s (service, operation, tenant, generation, state, reason, changed_by)
     values ($1, $2, $3, 1, $4, $5, $6)
     on conflict (service, operation, tenant) do update
       set generation = s.generation + 1, state = excluded.state, reason = excluded.reason, until = null,
         changed_at = clock_timestamp(), changed_by = excluded.changed_by`,
    [key.service, key.operation, key.tenant, state, why, by],
  );
}

function parameters(rules: QuorumRules, decisions: readonly Decision[]): unknown[] {
  return [
    ...keyColumns(decisions.map(({ key }) => key)),
    rules.leaseMs,
    rules.quorum,
    rules.quorumShare,
    rules.observer,
    decisions.map(({ generation }) => generation),
  ];
}
