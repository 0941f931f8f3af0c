import type { Pool } from 'pg';
import type { Json } from '../../idempotency';
import type { AttemptError, JobRef } from '../types';
import { refColumns } from './columns.pure';

/** How a job stands for somebody who waits for its end. */
export type JobEnd =
  | { readonly kind: 'open' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'done'; readonly result: Json }
  | { readonly kind: 'dead'; readonly attempts: number; readonly last?: AttemptError }
  | { readonly kind: 'cancelled' };

interface Row {
  readonly state: string | null;
  readonly result: Json;
  readonly attempts: number | null;
  readonly last: AttemptError | null;
}

/** The ends of these jobs, in their order. Asked many times a second, so it reads as little as it can. */
export async function readEnds(pool: Pool, refs: readonly JobRef[]): Promise<JobEnd[]> {
  const { rows } = await pool.query<Row>(
    `select j.state, case when j.state = 'done' then j.result end as result,
       case when j.state = 'dead' then j.attempts end as attempts,
       case when j.state = 'dead' then j.errors -> -1 end as last
     from unnest($1::text[], $2::text[], $3::text[]) with ordinality as a (tenant, type, key, place)
     left join chronawflow.job j using (tenant, type, key)
     order by a.place`,
    refColumns(refs),
  );
  return rows.map(endOf);
}

function endOf({ state, result, attempts, last }: Row): JobEnd {
  switch (state) {
    case null:
      return { kind: 'absent' };
    case 'done':
      return { kind: 'done', result };
    case 'dead':
      return { kind: 'dead', attempts: attempts ?? 0, ...(last === null ? {} : { last }) };
    case 'cancelled':
      return { kind: 'cancelled' };
    default:
      return { kind: 'open' };
  }
}
