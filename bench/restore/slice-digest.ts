import type { Pool } from 'pg';
import { SLICE, TEMPLATES } from './slice';

/**
 * Number of rows and a sum of 64-bit hashes over all of them, table by table: equal for equal slices in any order, and
 * different but for a chance of about 1 in 10^18. Enough to see that a round did its job; no proof against an adversary.
 */
export async function sliceDigest(pool: Pool, tenant: string): Promise<string> {
  const digests: string[] = [];
  for (const { name, where } of [...SLICE, TEMPLATES]) {
    const { rows } = await pool.query<{ digest: string }>(
      `select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) as digest
       from (select * from ${name} where ${where.replaceAll(`:'tenant'`, '$1')}) t`,
      [tenant],
    );
    digests.push(`${name}=${rows[0]?.digest}`);
  }
  return digests.join(' ');
}
