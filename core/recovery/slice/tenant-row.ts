import type { ClientBase } from 'pg';
import type { TenancyConfig } from '../../../config';
import { type QualifiedName, quoteIdentifier, quoteQualified } from '../../../database';
import { UnknownTenantError } from '../errors/unknown-tenant-error';

export interface TenantRow {
  /** The key as its type prints it: a UUID in lower case, a number without zeros in front. */
  readonly tenant: string;
  readonly exists: boolean;
}

/** Looks the tenant up in the tenant table of `client`'s database, live or scratch. */
export async function findTenant(
  client: ClientBase,
  tenancy: TenancyConfig,
  tenant: string,
): Promise<TenantRow> {
  const table = parseTableName(tenancy.table);
  const type = await keyType(client, table, tenancy.key);
  const key = quoteIdentifier(tenancy.key);
  try {
    const { rows } = await client.query<{ tenant: string; exists: boolean }>(
      `select $1::text::${type}::text as tenant, exists (select from ${quoteQualified(table)} where ${key} = $1::text::${type}) as exists`,
      [tenant],
    );
    return rows[0] ?? { tenant, exists: false };
  } catch (cause) {
    // 22P02 invalid_text_representation, 22003 out of range: a text that is no key at all names no tenant.
    if (cause instanceof Error && 'code' in cause && (cause.code === '22P02' || cause.code === '22003')) {
      throw new UnknownTenantError(tenant, { table: tenancy.table, key: tenancy.key, when: 'now' });
    }
    throw cause;
  }
}

async function keyType(client: ClientBase, table: QualifiedName, key: string): Promise<string> {
  const { rows } = await client.query<{ type: string }>(
    `select format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
     where a.attrelid = to_regclass($1) and a.attname = $2 and not a.attisdropped`,
    [quoteQualified(table), key],
  );
  return rows[0]?.type ?? 'text';
}

/** `schema.table`, the part before the first dot being the schema; without one it is `public`. */
export function parseTableName(text: string): QualifiedName {
  const dot = text.indexOf('.');
  return dot < 0
    ? { schema: 'public', name: text }
    : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}
