import type { Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import type { RulesInput } from '../tenant-rules';

/** The channel of changes; the payload is the tenant, for people who listen too. */
export const CHANNEL = 'chronawflow_rate_rule';

export interface ChangedRules {
  readonly tenant: string;
  /** null: the tenant has no rules of its own any more. As written, which may be by another version of this code. */
  readonly rules: unknown;
  readonly version: number;
  /** What goes before the rules for so long; absent or over when there is nothing. */
  readonly floor: unknown;
  readonly floorMs: number | null;
}

/** @param rules undefined takes the tenant's own rules away. */
export async function writeRules(
  pool: Pool,
  tenant: string,
  rules: RulesInput | undefined,
  by: string,
): Promise<number> {
  return inTransaction(pool, async (tx) => {
    // So that versions are committed in their order, and a reader that has seen one has seen all before it.
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.rateLimitChange]);
    const { rows } = await tx.query<{ version: string }>(
      `insert into chronawflow.rate_rule as r (tenant, rules, version, changed_by)
       values ($1, $2, nextval('chronawflow.rate_rule_version'), $3)
       on conflict (tenant) do update
         set rules = excluded.rules, version = excluded.version, changed_by = excluded.changed_by,
             changed_at = clock_timestamp()
       returning version`,
      [tenant, rules === undefined ? null : JSON.stringify(rules), by],
    );
    await tx.query('select pg_notify($1, $2)', [CHANNEL, tenant]);
    return Number(rows[0]?.version);
  });
}

/** Changes after `version`, in order. */
export async function readRules(pool: Pool, version: number): Promise<ChangedRules[]> {
  const { rows } = await pool.query<Omit<ChangedRules, 'version'> & { readonly version: string }>(
    `select tenant, rules, version, floor,
       (extract(epoch from floor_until - clock_timestamp()) * 1000)::float8 as "floorMs"
     from chronawflow.rate_rule where version > $1 order by version`,
    [version],
  );
  return rows.map((row) => ({ ...row, version: Number(row.version) }));
}
