import type { Pool } from 'pg';
import { quoteIdentifier } from '../../database';
import { broken, type Check, type Finding, ok, warning } from './finding';

const GRANT = 'Run deploy/postgres/application-role.sql in the application database as a superuser.';

/** What the role of a restore may do, as the database says it. */
export interface RoleRights {
  readonly role: string;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly replicaRole: boolean;
  readonly switchWal: boolean;
  readonly restorePoint: boolean;
  readonly monitor: boolean;
  readonly ownsSchema: boolean;
  /** `schema.table` of tables that lack SELECT, INSERT, UPDATE, DELETE or TRIGGER. */
  readonly tablesWithoutRights: readonly string[];
  readonly tablesWithRowSecurity: readonly string[];
}

const RIGHTS = `
  select r.rolname as role, r.rolsuper as superuser, r.rolbypassrls as "bypassRls",
         has_parameter_privilege('session_replication_role', 'set') as "replicaRole",
         has_function_privilege('pg_switch_wal()', 'execute') as "switchWal",
         has_function_privilege('pg_create_restore_point(text)', 'execute') as "restorePoint",
         pg_has_role('pg_monitor', 'usage') as monitor,
         coalesce((select pg_has_role(n.nspowner, 'usage') from pg_namespace n where n.nspname = 'chronawflow'),
                  false) as "ownsSchema",
         coalesce((select json_agg(t.name order by t.name) from tables t where not t.usable), '[]')
           as "tablesWithoutRights",
         coalesce((select json_agg(t.name order by t.name) from tables t where t.relrowsecurity), '[]')
           as "tablesWithRowSecurity"
    from pg_roles r
   where r.rolname = current_user`;

const TABLES = `
  with tables as (
    select format('%s.%s', n.nspname, c.relname) as name, c.relrowsecurity,
           has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
             and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')
             and has_table_privilege(c.oid, 'trigger') as usable
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname = any($1))`;

/** @param schemas with tenant tables, from the configuration. */
export function checkApplicationRole(pool: Pool, schemas: readonly string[]): Check {
  return {
    name: 'application role',
    fallbackFix: GRANT,
    look: async () => {
      const { rows } = await pool.query<RoleRights>(TABLES + RIGHTS, [schemas]);
      const [rights] = rows;
      return rights === undefined
        ? [broken('application role', 'the role is gone', GRANT)]
        : judgeRole(rights);
    },
  };
}

export function judgeRole(rights: RoleRights): readonly Finding[] {
  const missing = [
    ...(rights.replicaRole
      ? []
      : ['SET on session_replication_role (the merge must not fire user triggers)']),
    ...(rights.switchWal ? [] : ['EXECUTE on pg_switch_wal() (the fence must be archived at once)']),
    ...(rights.restorePoint ? [] : ['EXECUTE on pg_create_restore_point(text) (named recovery points)']),
    ...(rights.monitor
      ? []
      : ['membership in pg_monitor (settings of the scratch cluster, blocking sessions)']),
    ...(rights.ownsSchema ? [] : ['ownership of the schema chronawflow']),
    ...(rights.tablesWithoutRights.length === 0
      ? []
      : [`SELECT, INSERT, UPDATE, DELETE and TRIGGER on ${listed(rights.tablesWithoutRights)}`]),
  ];
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(broken('application role', `${rights.role} lacks ${missing.join('; ')}`, GRANT));
  if (rights.tablesWithRowSecurity.length > 0 && !rights.bypassRls && !rights.superuser)
    findings.push(
      broken(
        'row level security',
        `${rights.role} sees only a part of ${listed(rights.tablesWithRowSecurity)}`,
        `alter role ${quoteIdentifier(rights.role)} bypassrls;`,
      ),
    );
  if (rights.superuser)
    findings.push(
      warning(
        'application role',
        `${rights.role} is a superuser: nothing limits a mistake`,
        `alter role ${quoteIdentifier(rights.role)} nosuperuser; then run deploy/postgres/application-role.sql.`,
      ),
    );
  return findings.length === 0 ? [ok('application role', `${rights.role} has the least rights`)] : findings;
}

const SHOWN = 5;

function listed(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
