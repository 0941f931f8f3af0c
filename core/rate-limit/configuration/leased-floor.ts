import type { Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import type { RulesInput } from '../tenant-rules';
import { CHANNEL } from './rule-store';

/**
 * Holds a tenant to other rules than its own for as long as the lease is renewed. Its own rules stay as they are, and changes
 * of them are not lost.
 *
 * @returns false when somebody else holds a floor under the tenant
 */
export function leaseFloor(
  pool: Pool,
  tenant: string,
  { floor, by, leaseMs }: { readonly floor: RulesInput; readonly by: string; readonly leaseMs: number },
): Promise<boolean> {
  return change(
    pool,
    tenant,
    `insert into chronawflow.rate_rule as r (tenant, version, changed_by, floor, floor_until, floor_by)
     values ($1, nextval('chronawflow.rate_rule_version'), $2, $3, clock_timestamp() + $4 * interval '1 millisecond', $2)
     on conflict (tenant) do update
       set version = excluded.version, floor = excluded.floor, floor_until = excluded.floor_until,
         floor_by = excluded.floor_by
       where r.floor_by is null or r.floor_by = excluded.floor_by or r.floor_until <= clock_timestamp()`,
    [tenant, by, JSON.stringify(floor), leaseMs],
  );
}

/** @returns whether there was a floor of this holder */
export function endFloor(pool: Pool, tenant: string, by: string): Promise<boolean> {
  return change(
    pool,
    tenant,
    `update chronawflow.rate_rule
     set version = nextval('chronawflow.rate_rule_version'), floor = null, floor_until = null, floor_by = null
     where tenant = $1 and floor_by = $2`,
    [tenant, by],
  );
}

/** Versions are committed in their order, and told: as for a change of the rules themselves. */
function change(pool: Pool, tenant: string, sql: string, values: readonly unknown[]): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.rateLimitChange]);
    const { rowCount } = await tx.query(sql, [...values]);
    if (rowCount === 1) await tx.query('select pg_notify($1, $2)', [CHANNEL, tenant]);
    return rowCount === 1;
  });
}
