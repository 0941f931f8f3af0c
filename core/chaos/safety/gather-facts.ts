import type { Pool } from 'pg';
import type { TenancyConfig } from '../../../config';
import { quoteIdentifier, quoteQualified } from '../../../database';
import type { SafetyFacts } from './refusals.pure';

/** What the experiment itself has brought about is no reason against it. */
export interface OwnDoing {
  /** The run's ID: its other faults are no overlap. */
  readonly experiment: string;
  /** What runs for them is part of the experiment. */
  readonly tenants: readonly string[];
}

/** What the control plane knows. @throws when it is away: then nobody can say that it is safe */
export async function controlPlaneFacts(
  platform: Pool,
  own: OwnDoing,
): Promise<Pick<SafetyFacts, 'running' | 'degraded' | 'disturbed'>> {
  const [operations, levels, leases] = await Promise.all([
    platform.query<{ kind: string; count: string }>(
      `select kind, count(*) from chronawflow.running_operation
        where tenant is null or tenant <> all ($1::text[]) group by kind order by kind`,
      [own.tenants],
    ),
    platform.query<{ shown: string }>(
      `select scope || ' (' || level || ')' as shown from chronawflow.degradation_level where rank > 0 order by scope`,
    ),
    platform.query<{ resource: string }>(
      'select resource from chronawflow.fault_lease where ended_at is null and experiment <> $1',
      [own.experiment],
    ),
  ]);
  return {
    running: operations.rows.map(({ kind, count }) => ({ kind, count: Number(count) })),
    degraded: levels.rows.map(({ shown }) => shown),
    disturbed: leases.rows.map(({ resource }) => resource),
  };
}

/** How many tenants there are, and which of the experiment's are none. Only asked for where tenants are named. */
export async function tenantFacts(
  application: Pool,
  { table, key }: Pick<TenancyConfig, 'table' | 'key'>,
  named: readonly string[] | undefined,
): Promise<Pick<SafetyFacts, 'tenants' | 'unknownTenants'>> {
  if (named === undefined) return { tenants: undefined, unknownTenants: [] };
  const [schema = '', name = ''] = table.split('.');
  const from = quoteQualified({ schema, name });
  const column = quoteIdentifier(key);
  const { rows } = await application.query<{ total: string; known: readonly string[] | null }>(
    `select count(*) as total, array_agg(${column}::text) filter (where ${column}::text = any ($1)) as known from ${from}`,
    [named],
  );
  const known = new Set(rows[0]?.known ?? []);
  return {
    tenants: Number(rows[0]?.total ?? 0),
    unknownTenants: named.filter((tenant) => !known.has(tenant)),
  };
}
