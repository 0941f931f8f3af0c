import type { Pool } from 'pg';
import type { TenancyConfig } from '../../config';
import { quoteIdentifier } from '../../database';
import { broken, type Check, type Finding, ok, warning } from './finding';

/** Whatever writes past the freeze's triggers, or fires during the merge although nothing should. */
export function checkBypass(pool: Pool, tenancy: TenancyConfig): Check {
  return {
    name: 'triggers and replication',
    fallbackFix: 'Run deploy/postgres/application-role.sql in the application database as a superuser.',
    look: async () => {
      const findings = [...(await subscriptions(pool)), ...(await firingTriggers(pool, tenancy))];
      return findings.length === 0
        ? [ok('triggers and replication', 'nothing passes the freeze or fires during a merge')]
        : findings;
    },
  };
}

async function subscriptions(pool: Pool): Promise<Finding[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select s.subname as name from pg_subscription s join pg_database d on d.oid = s.subdbid
      where d.datname = current_database() and s.subenabled order by 1`,
  );
  return rows.map(({ name }) =>
    warning(
      'subscriptions',
      `the apply worker of subscription ${name} writes without firing ordinary triggers, so no freeze stops it`,
      `Before a restore: alter subscription ${quoteIdentifier(name)} disable;`,
    ),
  );
}

async function firingTriggers(pool: Pool, tenancy: TenancyConfig): Promise<Finding[]> {
  const { rows } = await pool.query<{ table: string; quoted: string; trigger: string }>(
    `select format('%s.%s', n.nspname, c.relname) as table, c.oid::regclass::text as quoted, t.tgname as trigger
       from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
      where not t.tgisinternal and t.tgenabled in ('A', 'R') and n.nspname = any($1)
      order by 1, 2`,
    [tenancy.schemas],
  );
  return rows
    .filter(({ table, trigger }) => !(tenancy.overrides[table]?.allowTriggers ?? []).includes(trigger))
    .map(({ table, quoted, trigger }) =>
      broken(
        'triggers',
        `${trigger} on ${table} is ENABLE ALWAYS or REPLICA: it would fire during the merge, which therefore refuses`,
        `alter table ${quoted} enable trigger ${quoteIdentifier(trigger)}; or allow it: tenancy.overrides."${table}".allowTriggers: [${trigger}]`,
      ),
    );
}
