import type { Pool } from 'pg';
import { type Check, ok, warning } from './finding';

/** The running role of the control plane must not be able to rewrite the audit log. */
export function checkPlatformRole(pool: Pool): Check {
  return {
    name: 'audit log',
    fallbackFix: 'Migrate the control-plane database first.',
    look: async () => {
      const { rows } = await pool.query<{ changeable: boolean; owner: boolean }>(
        `select has_table_privilege('chronawflow.audit_event', 'update')
                  or has_table_privilege('chronawflow.audit_event', 'delete') as changeable,
                pg_has_role(c.relowner, 'usage') as owner
           from pg_class c where c.oid = 'chronawflow.audit_event'::regclass`,
      );
      return [
        rows[0]?.changeable || rows[0]?.owner
          ? warning(
              'audit log',
              'the role that Chronawflow runs as could change it',
              'Let another role own the schema chronawflow, and: revoke update, delete on chronawflow.audit_event from the running role;',
            )
          : ok('audit log', 'insert-only for the running role'),
      ];
    },
  };
}
