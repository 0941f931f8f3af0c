import { SLICE, type SliceTable, TEMPLATES } from './slice';

/** psql reads a `\copy` to the end of its line and replaces no variable in it, so the tenant is written into it. */
const file = (table: SliceTable) => `${table.name.replaceAll('"', '')}.copy`;
const conditionOf = (table: SliceTable, tenant: string) => table.where.replaceAll(`:'tenant'`, `'${tenant}'`);
const columnsOf = (table: SliceTable) => (table.columns === undefined ? '' : ` (${table.columns})`);

/** Run against the scratch server, in the directory for the files. */
export function copyOutScript(tenant: string): string {
  return lines(
    '\\set ON_ERROR_STOP on',
    ...[...SLICE, TEMPLATES].map(
      (table) =>
        `\\copy (select ${table.columns ?? '*'} from ${table.name} where ${conditionOf(table, tenant)}) to '${file(table)}'`,
    ),
  );
}

/**
 * Run against the live server: the tenant's rows go, those of the files come, in one transaction. Replica role keeps
 * triggers and cascades off, as anybody does who puts rows back that triggers have seen before.
 */
export function putBackScript(tenant: string): string {
  const children = [...SLICE].reverse();
  return lines(
    '\\set ON_ERROR_STOP on',
    'begin;',
    'set local session_replication_role = replica;',
    ...children.map((table) => `delete from ${table.name} where ${conditionOf(table, tenant)};`),
    ...SLICE.map((table) => `\\copy ${table.name}${columnsOf(table)} from '${file(table)}'`),
    // A template that lost its organisation is still there under its ID.
    `create temporary table old_templates (like ${TEMPLATES.name}) on commit drop;`,
    `\\copy old_templates from '${file(TEMPLATES)}'`,
    `delete from ${TEMPLATES.name} where ${conditionOf(TEMPLATES, tenant)} or id in (select id from old_templates);`,
    `insert into ${TEMPLATES.name} select * from old_templates;`,
    'commit;',
  );
}

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}
