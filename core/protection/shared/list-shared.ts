import type { ClientBase } from 'pg';

/** A breaker that is not closed for all processes. */
export interface SharedBreakerState {
  readonly service: string;
  readonly operation: string;
  readonly tenant: string;
  readonly state: 'open' | 'isolated' | 'forced-closed';
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Breakers that processes have decided about together, the latest first; an opening whose time is over is left out. */
export async function listSharedBreakers(
  platform: Pick<ClientBase, 'query'>,
  limit = 100,
): Promise<SharedBreakerState[]> {
  const { rows } = await platform.query<SharedBreakerState>(
    `select service, operation, tenant, state, reason,
       to_char(changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since
     from chronawflow.breaker_state
     where state <> 'closed' and (state <> 'open' or until > clock_timestamp())
     order by changed_at desc limit $1`,
    [limit],
  );
  return rows;
}
