import type { Pool } from 'pg';
import type { TenancyConfig } from '../../config';
import { type Check, ok, warning } from './finding';

/** The table with one row per tenant. A warning, because a new installation has no tables yet. */
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
      return [
        rows.length === 1
          ? ok('tenant table', `${tenancy.table}, key ${tenancy.key}`)
          : warning(
              'tenant table',
              `${tenancy.table} with a column ${tenancy.key} is not there`,
              'Create it, or name the right one in tenancy.table and tenancy.key.',
            ),
      ];
    },
  };
}
