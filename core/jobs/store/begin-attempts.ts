import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Json } from '../../idempotency';
import type { JobRef, JobState } from '../types';
import { refColumns } from './columns.pure';

export interface BeginRequest extends JobRef {
  /** A token of this attempt alone, behind its process: `<process>/<attempt>`. */
  readonly owner: string;
}

/** An attempt to come of this job, in this process. */
export function newAttempt({ tenant, type, key }: JobRef, process: string): BeginRequest {
  return { tenant, type, key, owner: `${process}/${randomUUID()}` };
}

export type BeginAnswer =
  /** `suspect`: its last process died, so that it has to run alone. */
  | { readonly kind: 'begun'; readonly attempt: number; readonly input: Json; readonly suspect: boolean }
  /** Not handed over: waiting again, in another attempt's hands, or over. */
  | { readonly kind: 'not-handed'; readonly state: JobState }
  | { readonly kind: 'absent' };

interface Row extends JobRef {
  readonly owner: string;
  readonly begun: number | null;
  readonly input: Json;
  readonly suspect: boolean | null;
  readonly state: JobState | null;
}

/**
 * Turns reserved permits into those of attempts. Repeating it with the same token changes nothing, so that a lost answer
 * can be asked for again. A row that is locked by a step of its former attempt is passed over, not waited for: the
 * others of the batch are not its business.
 */
export async function beginAttempts(
  pool: Pool,
  requests: readonly BeginRequest[],
  leaseMs: number,
): Promise<BeginAnswer[]> {
  const { rows } = await pool.query<Row>(
    `with asked as (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as a (tenant, type, key, owner)
     ), locked as (
       select j.tenant, j.type, j.key, a.owner
       from chronawflow.job j join asked a using (tenant, type, key)
       where j.state = 'handed' or (j.state = 'running' and j.owner = a.owner)
       for update of j skip locked
     ), begun as (
       update chronawflow.job j
       set state = 'running', owner = l.owner, started = true, waits_for = null, alone = false,
           attempts = j.attempts + (j.state = 'handed')::integer,
           lease_until = clock_timestamp() + $5 * interval '1 millisecond'
       from locked l where j.tenant = l.tenant and j.type = l.type and j.key = l.key
       returning j.tenant, j.type, j.key, j.owner, j.attempts, j.lost_with is not null as suspect
     )
     select a.tenant, a.type, a.key, a.owner, b.attempts as begun, b.suspect, j.input, j.state
     from asked a
     left join begun b on b.tenant = a.tenant and b.type = a.type and b.key = a.key and b.owner = a.owner
     left join chronawflow.job j on j.tenant = a.tenant and j.type = a.type and j.key = a.key`,
    [...refColumns(requests), requests.map((request) => request.owner), leaseMs],
  );
  const answers = new Map(rows.map((row) => [row.owner, answerOf(row)]));
  return requests.map((request) => answers.get(request.owner) ?? { kind: 'absent' });
}

function answerOf({ begun, suspect, state, input }: Row): BeginAnswer {
  if (begun !== null) return { kind: 'begun', attempt: begun, input, suspect: suspect === true };
  return state === null ? { kind: 'absent' } : { kind: 'not-handed', state };
}

/**
 * The attempt has its process for itself from now on.
 *
 * @returns whether it still holds its permit
 */
export async function markAlone(pool: Pool, { tenant, type, key, owner }: BeginRequest): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update chronawflow.job set alone = true
     where tenant = $1 and type = $2 and key = $3 and owner = $4 and state = 'running'
       and lease_until > clock_timestamp()`,
    [tenant, type, key, owner],
  );
  return rowCount === 1;
}
