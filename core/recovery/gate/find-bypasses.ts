import type { Pool } from 'pg';

/** A way for writes to pass the gate that can be seen from outside. Sessions' own settings cannot. */
export type GateBypass =
  /** Logical replication applies its changes in replica role. */
  | {
      readonly kind: 'subscription';
      readonly name: string;
      readonly enabled: boolean;
      readonly tables: readonly string[];
    }
  | { readonly kind: 'apply-worker'; readonly pid: number; readonly subscription: string }
  /** New sessions of the role, in the database (`all` where unlimited), start in replica role. */
  | { readonly kind: 'replica-role-default'; readonly role: string; readonly database: string }
  /** The server's configuration starts every session in replica role. */
  | { readonly kind: 'replica-role-server' }
  /** The role may switch itself to replica role (superusers always may and are not listed). */
  | { readonly kind: 'may-set-replica-role'; readonly role: string }
  /** The table's owner has disabled a gate trigger. */
  | { readonly kind: 'trigger-disabled'; readonly table: string; readonly trigger: string };

const SUBSCRIPTIONS = `
select 'subscription' as kind, s.subname as name, s.subenabled as enabled,
  coalesce((select array_agg(n.nspname || '.' || c.relname order by 1) from pg_subscription_rel sr
    join pg_class c on c.oid = sr.srrelid join pg_namespace n on n.oid = c.relnamespace where sr.srsubid = s.oid), '{}') as tables
from pg_subscription s
where s.subdbid = (select oid from pg_database where datname = current_database())
order by s.subname`;

const APPLY_WORKERS = `
select 'apply-worker' as kind, st.pid, st.subname as subscription
from pg_stat_subscription st join pg_subscription s on s.oid = st.subid
where st.pid is not null and s.subdbid = (select oid from pg_database where datname = current_database())
order by st.pid`;

const ROLE_DEFAULTS = `
select 'replica-role-default' as kind, coalesce(r.rolname, 'all') as role, coalesce(d.datname, 'all') as database
from pg_db_role_setting s
left join pg_roles r on r.oid = s.setrole
left join pg_database d on d.oid = s.setdatabase
cross join unnest(s.setconfig) setting
where setting in ('session_replication_role=replica') and (s.setdatabase = 0 or d.datname = current_database())
order by 2, 3`;

/** The configuration file's value; a role's own default would hide it in reset_val, so the source counts. */
const SERVER_DEFAULT = `
select 'replica-role-server' as kind from pg_settings
where name = 'session_replication_role' and reset_val = 'replica' and source in ('configuration file', 'command line')`;

const MAY_SET = `
select 'may-set-replica-role' as kind, case when acl.grantee = 0 then 'public' else g.rolname end as role
from pg_parameter_acl p
cross join aclexplode(p.paracl) acl
left join pg_roles g on g.oid = acl.grantee
where p.parname = 'session_replication_role' and acl.privilege_type = 'SET'
  and coalesce(g.rolname, '') <> current_user and not coalesce(g.rolsuper, false)
order by 2`;

const DISABLED = `
select 'trigger-disabled' as kind, n.nspname || '.' || c.relname as table, t.tgname as trigger
from pg_trigger t
join pg_proc p on p.oid = t.tgfoid and p.pronamespace = to_regnamespace('chronawflow')
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where t.tgenabled in ('D', 'R')
order by 2, 3`;

/**
 * What can be seen of writers that the gate does not stop, for the preview's notices and `doctor`. None of it is an error:
 * the merge compares the rows again and stops when somebody has changed them.
 */
export async function findBypasses(pool: Pool): Promise<GateBypass[]> {
  const found: GateBypass[] = [];
  for (const statement of [SUBSCRIPTIONS, APPLY_WORKERS, ROLE_DEFAULTS, SERVER_DEFAULT, MAY_SET, DISABLED]) {
    found.push(...(await pool.query<GateBypass>(statement)).rows);
  }
  return found;
}
