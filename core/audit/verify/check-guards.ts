import type { ClientBase } from 'pg';
import type { Violation } from './verify-log';

/** May remove what a retention drops, and nothing else: the triggers see to it. Source: core/retention/README.md. */
const RETENTION_ROLE = 'chronawflow_retention';

/** What refuses a change of a row: nearly everywhere all of them, of these two all but a retention's. */
const REFUSES: Readonly<Record<string, string>> = {
  audit_event: 'only_retain_event',
  audit_bundle: 'only_retain_bundle',
};

const GUARDED = [
  'audit_event',
  'audit_bundle',
  'audit_retention',
  'audit_dropped',
  'audit_subtree',
  'audit_checkpoint',
  'audit_cosignature',
  'operator_statement',
  'used_intent',
];

/** Each table's two triggers have to fire in every session (`tgenabled = 'A'`), and to call what refuses. */
const TRIGGERS = `
select g.name || '_' || k.kind as trigger, g.name as table
  from unnest($1::text[], $2::text[]) g (name, refuses) cross join (values ('insert_only'), ('no_truncate')) k (kind)
 where not exists (
   select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = to_regclass('chronawflow.' || g.name) and t.tgname = g.name || '_' || k.kind
      and t.tgenabled = 'A' and p.proname = case k.kind when 'insert_only' then g.refuses else 'refuse_change' end
      and p.prosrc like '%raise exception%the audit log is insert-only%')`;

/** Of the whole table, and of single columns. */
const RIGHTS = `
with granted as (
  select c.oid, c.relowner, '' as column, a.grantee, a.privilege_type
    from pg_class c cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
  union all
  select c.oid, c.relowner, ' (' || t.attname || ')', a.grantee, a.privilege_type
    from pg_class c join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a
)
select c.relname as table, g.privilege_type || g.column as privilege, coalesce(r.rolname, 'public') as role
  from granted g join pg_class c on c.oid = g.oid left join pg_roles r on r.oid = g.grantee
 where c.relnamespace = 'chronawflow'::regnamespace and c.relname = any ($1)
   and g.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and g.grantee <> g.relowner
   and not (g.privilege_type = 'DELETE' and r.rolname is not distinct from $2 and c.relname in ('audit_event', 'audit_bundle'))
 order by 1, 3, 2`;

/** What keeps the log from being changed, as the database has it now: triggers that fire, and nobody's right to change. */
export async function checkGuards(tx: Pick<ClientBase, 'query'>): Promise<Violation[]> {
  const triggers = await tx.query<{ trigger: string; table: string }>(TRIGGERS, [
    GUARDED,
    GUARDED.map((table) => REFUSES[table] ?? 'refuse_change'),
  ]);
  const rights = await tx.query<{ table: string; privilege: string; role: string }>(RIGHTS, [
    GUARDED,
    RETENTION_ROLE,
  ]);
  return [
    ...triggers.rows.map(({ trigger, table }) => ({
      origin: '',
      problem: `trigger ${trigger} on ${table} is missing, disabled or another one`,
    })),
    ...rights.rows.map(({ table, privilege, role }) => ({
      origin: '',
      problem: `${role} may ${privilege} on ${table}`,
    })),
  ];
}
