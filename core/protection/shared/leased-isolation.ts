import type { ClientBase } from 'pg';
import type { BreakerKey } from '../breaker';

type Database = Pick<ClientBase, 'query'>;

/**
 * Lets nothing pass anywhere for as long as the lease is renewed. What an operator holds by hand is left as it is.
 *
 * @returns false when it is held by hand
 */
export async function leaseIsolation(
  db: Database,
  key: BreakerKey,
  { why, by, leaseMs }: { readonly why: string; readonly by: string; readonly leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into chronawflow.breaker_state as s
       (service, operation, tenant, generation, state, reason, until, changed_by)
     values ($1, $2, $3, 1, 'isolated', $4, clock_timestamp() + $6 * interval '1 millisecond', $5)
     on conflict (service, operation, tenant) do update
       set generation = s.generation + case when s.state = 'isolated' and s.changed_by = $5 then 0 else 1 end,
         state = 'isolated', reason = excluded.reason, until = excluded.until,
         changed_at = clock_timestamp(), changed_by = excluded.changed_by
       where s.state not in ('isolated', 'forced-closed') or s.until is not null`,
    [key.service, key.operation, key.tenant, why, by, leaseMs],
  );
  return rowCount === 1;
}

/** Ends an isolation of the same holder; anything else stands. */
export async function endIsolation(db: Database, key: BreakerKey, by: string): Promise<void> {
  await db.query(
    `update chronawflow.breaker_state
     set generation = generation + 1, state = 'closed', reason = 'the containment is over', until = null,
       changed_at = clock_timestamp()
     where (service, operation, tenant) = ($1, $2, $3) and state = 'isolated' and until is not null
       and changed_by = $4`,
    [key.service, key.operation, key.tenant, by],
  );
}

/** Ends isolations whose lease nobody renewed. Every process does so with each of its rounds. */
export async function endLapsedIsolations(db: Database): Promise<void> {
  await db.query(
    `update chronawflow.breaker_state s
     set generation = s.generation + 1, state = 'closed', reason = 'its lease was over', until = null,
       changed_at = clock_timestamp()
     from (select service, operation, tenant from chronawflow.breaker_state
       where state = 'isolated' and until <= clock_timestamp() for update skip locked) lapsed
     where (s.service, s.operation, s.tenant) = (lapsed.service, lapsed.operation, lapsed.tenant)`,
  );
}
