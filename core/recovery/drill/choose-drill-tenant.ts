import { quoteIdentifier, quoteQualified } from '../../../database';
import type { RecoveryContext } from '../engine';
import { NoTenantToDrillError } from '../errors/no-tenant-to-drill-error';
import { parseTableName, tenantKeyType } from '../slice/tenant-row';
import { leastRecentlyDrilled } from './least-recently-drilled.pure';

/** So many tenants are looked at for one drill: with more of them than this, each drill looks at others. */
const CANDIDATES = 200;

/**
 * The tenant that a drill without one takes: among a sample that depends on `seed` alone, the one that waits longest.
 * Tenants with an operation under way are left to it.
 *
 * @throws NoTenantToDrillError, TenantTableMissingError
 */
export async function chooseDrillTenant(ctx: RecoveryContext, seed: string): Promise<string> {
  const { tenancy } = ctx.config;
  await tenantKeyType(ctx.application, tenancy);
  const key = quoteIdentifier(tenancy.key);
  const sample = await ctx.application.query<{ tenant: string }>(
    `select ${key}::text as tenant from ${quoteQualified(parseTableName(tenancy.table))}
     where ${key} is not null order by md5(${key}::text || $1), 1 limit ${CANDIDATES}`,
    [seed],
  );
  const tenants = sample.rows.map((row) => row.tenant);
  const { rows } = await ctx.platform.query<{ tenant: string; busy: boolean; last: string | null }>(
    `select tenant, bool_or(finished_at is null) as busy,
            to_char(max(finished_at) filter (where kind = 'drill' and outcome = 'drilled') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last
       from chronawflow.restore where tenant = any ($1) group by tenant`,
    [tenants],
  );
  const busy = new Set(rows.filter((row) => row.busy).map((row) => row.tenant));
  const last = new Map(rows.flatMap((row) => (row.last === null ? [] : [[row.tenant, row.last] as const])));
  const chosen = leastRecentlyDrilled(
    tenants.filter((tenant) => !busy.has(tenant)),
    last,
  );
  if (chosen === undefined) throw new NoTenantToDrillError(tenancy.table, tenants.length);
  return chosen;
}
