import type { PoolClient } from 'pg';

/**
 * Marks containments whose lease nobody renewed: their effects have ended by themselves, and their resources are free for
 * another one.
 *
 * @returns their IDs
 */
export async function lapse(tx: Pick<PoolClient, 'query'>): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with lapsed as (
       update chronawflow.containment set state = 'lapsed'
       where state = 'active' and lease_until <= clock_timestamp() returning id),
     freed as (
       update chronawflow.containment_part set holds = false
       where holds and containment in (select id from lapsed))
     select id from lapsed`,
  );
  return rows.map(({ id }) => id);
}
