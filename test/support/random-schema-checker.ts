import type { Pool } from 'pg';
import type { BuiltSchema, BuiltTable } from './random-schema';

/** A row as the checker sees it: its image, and its values as text. */
export interface SeenRow {
  readonly image: string;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Rows by table, in the schema's order: everything that is in a database. */
export type Seen = readonly (readonly SeenRow[])[];

export async function see(db: Pool, schema: BuiltSchema): Promise<Seen> {
  const seen: SeenRow[][] = [];
  for (const table of schema.tables) {
    const { rows } = await db.query<{ image: string; values: Record<string, unknown> }>(
      `select (t.*)::text as image, to_jsonb(t) as values from ${table.name} t order by 1`,
    );
    seen.push(
      rows.map(({ image, values }) => ({
        image,
        values: Object.fromEntries(
          Object.entries(values).map(([name, value]) => [name, value === null ? null : String(value)]),
        ),
      })),
    );
  }
  return seen;
}

/** Key and reference values as one comparable text; undefined when a part is NULL. Numbers compare by value. */
function tupleOf(row: SeenRow, columns: readonly string[]): string | undefined {
  const parts = columns.map((name) => row.values[name] ?? null);
  return parts.length === 0 || parts.includes(null) ? undefined : JSON.stringify(parts);
}

export function ownerOf(schema: BuiltSchema, seen: Seen, table: number, row: SeenRow): string | undefined {
  const { owner } = tableAt(schema, table);
  if (owner.kind === 'tenant') return row.values.id ?? undefined;
  if (owner.kind === 'column') return row.values[owner.column] ?? undefined;
  const parentKey = tupleOf(row, owner.columns);
  const parent = (seen[owner.parent] ?? []).find(
    (one) => parentKey !== undefined && tupleOf(one, tableAt(schema, owner.parent).key) === parentKey,
  );
  return parent && ownerOf(schema, seen, owner.parent, parent);
}

export function ownedRows(schema: BuiltSchema, seen: Seen, tenant: string): Seen {
  return seen.map((rows, i) => rows.filter((row) => ownerOf(schema, seen, i, row) === tenant));
}

/**
 * What a restore of `tenant` should leave: everybody else's rows as they are, the tenant's as at the target. A live row that
 * nobody owns counts as the tenant's when the tenant owned its key at the target.
 */
export function expectedAfter(
  schema: BuiltSchema,
  live: Seen,
  target: Seen,
  tenant: string,
): { rest: Seen; own: Seen } {
  const own = ownedRows(schema, target, tenant);
  const claimed: Set<SeenRow>[] = [];
  schema.tables.forEach((table, i) => {
    const keys = new Set((own[i] ?? []).map((row) => tupleOf(row, table.key)));
    const { owner } = table;
    const rows = (live[i] ?? []).filter((row) => {
      if (ownerOf(schema, live, i, row) === tenant) return true;
      const orphan =
        (owner.kind === 'column' && row.values[owner.column] === null) ||
        (owner.kind === 'path' && owner.columns.some((name) => row.values[name] === null));
      if (orphan) return table.key.length > 0 && keys.has(tupleOf(row, table.key));
      // A child of a claimed orphan is the tenant's as well.
      if (owner.kind !== 'path') return false;
      const parentKey = tupleOf(row, owner.columns);
      return [...(claimed[owner.parent] ?? [])].some(
        (parent) => tupleOf(parent, tableAt(schema, owner.parent).key) === parentKey,
      );
    });
    claimed.push(new Set(rows));
  });
  return { own, rest: live.map((rows, i) => rows.filter((row) => !claimed[i]?.has(row))) };
}

/** Every reason why `rows` cannot stand together in the schema: duplicate keys and unique values, dangling references. */
export function violations(schema: BuiltSchema, rows: Seen): string[] {
  const found: string[] = [];
  schema.tables.forEach((table, i) => {
    const here = rows[i] ?? [];
    for (const columns of [table.key, table.unique]) {
      const counted = here.filter(
        (row) => columns !== table.unique || !table.partialUnique || Number(row.values.u) > 3,
      );
      const values = counted.flatMap((row) => tupleOf(row, columns) ?? []);
      if (new Set(values).size < values.length) found.push(`${table.name}: ${columns.join(', ')} not unique`);
    }
    for (const key of table.keys) {
      const parents = new Set((rows[key.parent] ?? []).map((row) => tupleOf(row, key.parentColumns)));
      const dangling = here.filter((row) => {
        const value = tupleOf(row, key.columns);
        return value !== undefined && !parents.has(value);
      });
      if (dangling.length > 0) found.push(`${table.name}: ${key.columns.join(', ')} dangling`);
    }
  });
  return found;
}

/** Rows that the tenant has now and that belonged to somebody else, or to nobody, at the target. */
export function gainedSince(schema: BuiltSchema, live: Seen, target: Seen, tenant: string): string[] {
  const own = ownedRows(schema, target, tenant);
  return ownedRows(schema, live, tenant).flatMap((rows, i) => {
    const table: BuiltTable = tableAt(schema, i);
    const then = new Set((target[i] ?? []).map((row) => tupleOf(row, table.key)));
    const mine = new Set((own[i] ?? []).map((row) => tupleOf(row, table.key)));
    return rows.flatMap((row) => {
      const key = tupleOf(row, table.key);
      return key !== undefined && then.has(key) && !mine.has(key) ? [`${table.name} ${key}`] : [];
    });
  });
}

export const images = (seen: Seen): string[][] => seen.map((rows) => rows.map((row) => row.image).sort());

function tableAt(schema: BuiltSchema, i: number): BuiltTable {
  const table = schema.tables[i];
  if (table === undefined) throw new RangeError(`no table ${i}`);
  return table;
}
