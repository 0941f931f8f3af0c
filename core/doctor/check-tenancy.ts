import type { Pool } from 'pg';
import type { TenancyConfig } from '../../config';
import { attributeTenancy } from '../recovery';
import { type Check, type Finding, ok, runCheck, warning } from './finding';

/** The table with one row per tenant, a warning because a new installation has no tables yet; then whose all others are. */
export function checkTenancy(pool: Pool, tenancy: TenancyConfig): Check {
  return {
    name: 'tenant table',
    fallbackFix: 'Name the table with one row per tenant in tenancy.table, and its key in tenancy.key.',
    look: async () => {
      const [schema, table] = tenancy.table.split('.');
      const { rows } = await pool.query(
        `select from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = $1 and c.relname = $2 and a.attname = $3 and not a.attisdropped`,
        [schema, table, tenancy.key],
      );
      if (rows.length === 1) {
        return [
          ok('tenant table', `${tenancy.table}, key ${tenancy.key}`),
          ...(await attributed(pool, tenancy)),
        ];
      }
      return [
        warning(
          'tenant table',
          `${tenancy.table} with a column ${tenancy.key} is not there`,
          'Create it, or name the right one in tenancy.table and tenancy.key.',
        ),
      ];
    },
  };
}

/** What would refuse every restore is found by day: a table that is nobody's, or in two ways. */
async function attributed(pool: Pool, tenancy: TenancyConfig): Promise<readonly Finding[]> {
  const name = 'table owners';
  return runCheck({
    name,
    fallbackFix: 'Correct `tenancy` in the configuration.',
    look: async () => {
      const found = await attributeTenancy(pool, tenancy);
      if (found === undefined) return [];
      const { slice, shared, keep, excluded } = found;
      const others = [
        [shared.length, 'shared'],
        [keep.length, 'kept'],
        [excluded.length, 'excluded'],
      ].flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
      return [ok(name, [`${slice.length} tables have a tenant`, ...others].join(', '))];
    },
  });
}
