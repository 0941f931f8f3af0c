import type { Pool } from 'pg';
import type { ContainmentOutcome } from '../types';

/** Closes a containment and frees its resources. @returns false when it was closed before */
export async function endContainment(
  platform: Pool,
  id: string,
  outcome: ContainmentOutcome | 'lapsed',
  by: string,
): Promise<boolean> {
  const { rowCount } = await platform.query(
    `with ended as (
       update chronawflow.containment set state = 'ended', outcome = $2, ended_by = $3, ended_at = clock_timestamp()
       where id = $1 and state <> 'ended' returning id),
     freed as (
       update chronawflow.containment_part set holds = false
       where holds and containment in (select id from ended))
     select from ended`,
    [id, outcome, by],
  );
  return rowCount === 1;
}
