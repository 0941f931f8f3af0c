import type { Pool } from 'pg';
import type { TenancyConfig } from '../../config';
import { quoteIdentifier, quoteQualified } from '../../database';
import { InvalidInputError } from '../errors';

/** A tenant that was there stays believed this long: submitting need not ask for each job. */
const BELIEVED_MS = 60_000;
const BELIEVED_TENANTS = 50_000;

/** Which tenants the application has, asked in bulk and remembered for a minute. */
export class TenantDirectory {
  private readonly seen = new Map<string, number>();
  private keyType: string | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly tenancy: TenancyConfig,
  ) {}

  /**
   * Those of `tenants` that have no row in the tenant table. A key in another spelling than the database's own, such as a
   * UUID in capitals, is none: caps, freeze and holds know a tenant by its text.
   */
  async missing(tenants: Iterable<string>): Promise<Set<string>> {
    const now = performance.now();
    const unsure = [...new Set(tenants)].filter((tenant) => (this.seen.get(tenant) ?? 0) < now);
    if (unsure.length === 0) return new Set();
    const found = await this.look(unsure);
    if (this.seen.size > BELIEVED_TENANTS) this.seen.clear();
    for (const tenant of found) this.seen.set(tenant, now + BELIEVED_MS);
    return new Set(unsure.filter((tenant) => !found.has(tenant)));
  }

  private async look(tenants: readonly string[]): Promise<Set<string>> {
    const { table, key } = this.tenancy;
    const dot = table.indexOf('.');
    const name =
      dot < 0
        ? { schema: 'public', name: table }
        : { schema: table.slice(0, dot), name: table.slice(dot + 1) };
    const type = await this.typeOfKey(name);
    try {
      const { rows } = await this.pool.query<{ tenant: string }>(
        `select given.tenant from unnest($1::text[]) as given (tenant)
         where exists (
           select from ${quoteQualified(name)} t
           where t.${quoteIdentifier(key)} = given.tenant::${type} and t.${quoteIdentifier(key)}::text = given.tenant)`,
        [tenants],
      );
      return new Set(rows.map((row) => row.tenant));
    } catch (error) {
      // Class 22, data exceptions: one of them is no key at all. One by one tells which.
      const wrong = error instanceof Error && 'code' in error && /^(22|23514)/.test(String(error.code));
      if (!wrong) throw error;
      if (tenants.length === 1) return new Set();
      const each = await Promise.all(tenants.map((tenant) => this.look([tenant])));
      return new Set(each.flatMap((found) => [...found]));
    }
  }

  private async typeOfKey(name: { readonly schema: string; readonly name: string }): Promise<string> {
    if (this.keyType !== undefined) return this.keyType;
    const { rows } = await this.pool.query<{ type: string }>(
      `select format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
       join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2 and a.attname = $3 and not a.attisdropped`,
      [name.schema, name.name, this.tenancy.key],
    );
    const type = rows[0]?.type;
    if (type === undefined) {
      throw new InvalidInputError(
        `The tenant table ${this.tenancy.table} has no column ${this.tenancy.key}.`,
        {
          hint: 'Correct `tenancy.table` and `tenancy.key` in chronawflow.yaml.',
        },
      );
    }
    this.keyType = type;
    return type;
  }
}
