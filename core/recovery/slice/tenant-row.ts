import type { ClientBase } from 'pg';
import type { TenancyConfig } from '../../../config';
import { type QualifiedName, quoteIdentifier, quoteQualified } from '../../../database';
import { TenantTableMissingError } from '../errors/tenant-table-missing-error';
import { UnknownTenantError } from '../errors/unknown-tenant-error';

export interface TenantRow {
  /**
   * The key as the tenant's row has it, else as its type prints it: a UUID in lower case, a number without zeros in
   * front. All spellings of one key (citext, numeric) name one tenant, and so one restore.
   */
  readonly tenant: string;
  readonly exists: boolean;
}

/**
 * Looks the tenant up in the tenant table of `client`'s database.
 *
 * @throws TenantTableMissingError, UnknownTenantError when the text is no key at all.
 */
export async function findTenant(
  client: ClientBase,
  tenancy: TenancyConfig,
  tenant: string,
): Promise<TenantRow> {
  const table = parseTableName(tenancy.table);
  const type = await tenantKeyType(client, tenancy);
  const key = quoteIdentifier(tenancy.key);
  try {
    const { rows } = await client.query<{ tenant: string; exists: boolean }>(
      `select coalesce(t.tenant, given.key::text) as tenant, t.tenant is not null as exists
       from (select $1::text::${type} as key) given
       left join lateral (select ${key}::text as tenant from ${quoteQualified(table)} where ${key} = given.key limit 1) t on true`,
      [tenant],
    );
    return rows[0] ?? { tenant, exists: false };
  } catch (cause) {
    // Class 22, data exceptions, and a domain's CHECK: a text that is no key at all names no tenant.
    if (cause instanceof Error && 'code' in cause && /^(22|23514)/.test(String(cause.code))) {
      throw new UnknownTenantError(tenant, { table: tenancy.table, key: tenancy.key, when: 'now' });
    }
    throw cause;
  }
}

/** @throws TenantTableMissingError */
export async function tenantKeyType(
  client: Pick<ClientBase, 'query'>,
  tenancy: TenancyConfig,
): Promise<string> {
  const table = parseTableName(tenancy.table);
  const { rows } = await client.query<{ type: string }>(
    `select format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
     join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and a.attname = $3 and not a.attisdropped`,
    [table.schema, table.name, tenancy.key],
  );
  if (rows[0] === undefined) throw new TenantTableMissingError(tenancy.table, tenancy.key);
  return rows[0].type;
}

/** `schema.table`, the part before the first dot being the schema; without one it is `public`. */
export function parseTableName(text: string): QualifiedName {
  const dot = text.indexOf('.');
  return dot < 0
    ? { schema: 'public', name: text }
    : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}
