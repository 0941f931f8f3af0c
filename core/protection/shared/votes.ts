import type { ClientBase } from 'pg';
import type { BreakerKey } from '../breaker';
import { keyColumns, type Vote } from './shared-state';

/** Says that this process is there; its votes count as long as it does so. */
export async function announce(db: ClientBase, observer: string): Promise<void> {
  await db.query(
    `insert into chronawflow.breaker_observer (id) values ($1)
     on conflict (id) do update set seen_at = clock_timestamp()`,
    [observer],
  );
}

/** Puts this process's votes in; one that is there already is brought up to date. */
export async function castVotes(db: ClientBase, observer: string, votes: readonly Vote[]): Promise<void> {
  await db.query(
    `insert into chronawflow.breaker_vote (service, operation, tenant, observer, reason, break_ms)
     select v.service, v.operation, v.tenant, $4, v.reason, v.break_ms
     from unnest($1::text[], $2::text[], $3::text[], $5::text[], $6::integer[])
       v (service, operation, tenant, reason, break_ms)
     on conflict (service, operation, tenant, observer)
       do update set reason = excluded.reason, break_ms = excluded.break_ms`,
    [
      ...keyColumns(votes.map(({ key }) => key)),
      observer,
      votes.map(({ reason }) => reason),
      votes.map(({ breakMs }) => Math.max(1, Math.round(breakMs))),
    ],
  );
}

/** Takes votes back: the breaker of this process is closed again. */
export async function withdrawVotes(
  db: ClientBase,
  observer: string,
  keys: readonly BreakerKey[],
): Promise<void> {
  await db.query(
    `delete from chronawflow.breaker_vote v
     using unnest($1::text[], $2::text[], $3::text[]) k (service, operation, tenant)
     where (v.service, v.operation, v.tenant) = (k.service, k.operation, k.tenant) and v.observer = $4`,
    [...keyColumns(keys), observer],
  );
}

/** Takes this process out, with its votes. */
export async function leave(db: ClientBase, observer: string): Promise<void> {
  await db.query('delete from chronawflow.breaker_observer where id = $1', [observer]);
}
