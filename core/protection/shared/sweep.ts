import type { ClientBase } from 'pg';

/** A closed breaker's row is kept for a day: its generation tells an old decision from a new one. */
const KEEP = "interval '1 day'";

/**
 * Removes what nobody needs any more: processes that were killed, with their votes; decisions that are long over. A
 * bounded part at a time, and none that another process is removing already.
 */
export async function sweep(db: ClientBase, leaseMs: number, most = 1_000): Promise<void> {
  await sweepObservers(db, leaseMs, most);
  await sweepStates(db, leaseMs, most);
}

async function sweepObservers(db: ClientBase, leaseMs: number, most: number): Promise<void> {
  await db.query(
    `delete from chronawflow.breaker_observer where id in (
       select id from chronawflow.breaker_observer
       where seen_at < clock_timestamp() - 10 * $1 * interval '1 millisecond'
       order by seen_at limit $2 for update skip locked)`,
    [leaseMs, most],
  );
}

async function sweepStates(db: ClientBase, leaseMs: number, most: number): Promise<void> {
  await db.query(
    `delete from chronawflow.breaker_state where (service, operation, tenant) in (
       select service, operation, tenant from chronawflow.breaker_state
       where state = 'closed' and changed_at < clock_timestamp() - ${KEEP}
         or state = 'open' and until < clock_timestamp() - 10 * $1 * interval '1 millisecond'
       limit $2 for update skip locked)`,
    [leaseMs, most],
  );
}
