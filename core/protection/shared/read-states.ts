import type { ClientBase } from 'pg';
import type { BreakerKey } from '../breaker';
import { keyColumns, type SharedState } from './shared-state';

interface Row {
  readonly service: string;
  readonly operation: string;
  readonly tenant: string;
  readonly generation: string;
  readonly state: SharedState['state'];
  readonly reason: string;
  readonly remaining_ms: number;
  readonly timed: boolean;
}

/**
 * What was decided lately, what is in force, and what is known about the keys given. "Lately" overlaps by a lease, many
 * times longer than a decision's transaction may take, so that none is missed that was committed late.
 */
export async function readStates(
  db: ClientBase,
  keys: readonly BreakerKey[],
  recentMs: number,
): Promise<SharedState[]> {
  const { rows } = await db.query<Row>(
    `select s.service, s.operation, s.tenant, s.generation, s.state, s.reason,
       coalesce(extract(epoch from s.until - clock_timestamp()) * 1000, 0)::float8 as remaining_ms,
       s.until is not null as timed
     from chronawflow.breaker_state s
     where s.state <> 'closed' or s.changed_at > clock_timestamp() - $4 * interval '1 millisecond'
       or exists (select from unnest($1::text[], $2::text[], $3::text[]) k (service, operation, tenant)
         where (s.service, s.operation, s.tenant) = (k.service, k.operation, k.tenant))`,
    [...keyColumns(keys), recentMs],
  );
  return rows.map(({ service, operation, tenant, generation, state, reason, remaining_ms, timed }) => ({
    key: { service, operation, tenant },
    generation: Number(generation),
    state,
    reason,
    remainingMs: remaining_ms,
    timed,
  }));
}
