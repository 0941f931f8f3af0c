import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import type { JobRef } from '../types';
import { refColumns } from './columns.pure';
import { stepScope } from './once';

/**
 * Deletes jobs whose retention is over, together with the records of their steps: those of `only`, or the first 500.
 *
 * @returns how many
 */
export function removeExpired(pool: Pool, only?: readonly JobRef[]): Promise<number> {
  return inTransaction(pool, (tx) => removeExpiredIn(tx, only));
}

/** The same in the caller's transaction. */
export async function removeExpiredIn(tx: PoolClient, only?: readonly JobRef[]): Promise<number> {
  const { rows } = await tx.query<JobRef>(
    `delete from chronawflow.job where (tenant, type, key) in (
       select tenant, type, key from chronawflow.job
       where expires_at <= clock_timestamp()
         ${only === undefined ? 'limit 500' : 'and (tenant, type, key) in (select * from unnest($1::text[], $2::text[], $3::text[]))'}
       for update skip locked)
     returning tenant, type, key`,
    only === undefined ? [] : refColumns(only),
  );
  await tx.query(
    `delete from chronawflow.idempotency
     where (tenant, scope) in (select * from unnest($1::text[], $2::text[]))`,
    [rows.map((row) => row.tenant), rows.map(stepScope)],
  );
  return rows.length;
}
