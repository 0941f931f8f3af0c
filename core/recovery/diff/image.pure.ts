import { quoteIdentifier } from '../../../database';
import type { PlanColumn } from '../slice/plan-types';

/**
 * The stored image of rows as SQL. Equality is by image, not by a type's operator: numeric 1.0 and 1.00, float 0 and -0,
 * citext 'A' and 'a' are different; json and point, which have no `=`, are comparable (invariant 8).
 *
 * The image of a row is the text form of its columns under the settings below, which make it independent of the session.
 */
export const IMAGE_SETTINGS: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  row_security: 'off',
  client_encoding: 'UTF8',
};

/**
 * Statements that put a transaction under IMAGE_SETTINGS. `searchPath` comes after pg_catalog: the schemas in which the
 * `=` of types such as citext lives (pg_catalog alone would compare them as text), and those whose functions CHECK
 * constraints, generated columns and indexes call without naming a schema. It is the plan's, so that values whose text
 * depends on it (regclass) print alike on both sides.
 */
export function setImageSettings(searchPath: readonly string[]): string {
  const path = ['pg_catalog', ...searchPath].map(quoteIdentifier).join(', ');
  return [
    ...Object.entries(IMAGE_SETTINGS).map(([name, value]) => `set local ${name} = '${value}'`),
    `set local search_path = ${path}`,
  ].join('; ');
}

/** Column of a staging table that holds the row's image digest, computed where the row was read. */
export const IMAGE_COLUMN = 'chronawflow image';

/**
 * Rows without a key are matched by their digests, so staging has one for each of them. With a key only changed rows are
 * ever hashed, which the diff does itself: hashing all of a million rows while they were staged took longer than copying
 * them.
 */
export function imageColumn(table: { readonly key: readonly string[] }): readonly string[] {
  return table.key.length > 0 ? [] : [IMAGE_COLUMN];
}

/** SHA-256 of a row's image as bytea: collision-proof, for the hash that a person approves. */
export function imageDigest(columns: readonly PlanColumn[], alias: string): string {
  return `sha256(convert_to(row(${columns.map((column) => `${alias}.${quoteIdentifier(column.name)}`).join(', ')})::text, 'UTF8'))`;
}

/**
 * True where two rows may have different images. Types whose `=` is the identity of images are compared by it, which is
 * more than twice as fast; all others byte by byte (`*<>`), which can also hold for equal images (an array with and
 * without a NULL bitmap), so a row found here counts as changed only when its digest differs too.
 */
export function mayDiffer(columns: readonly PlanColumn[], staged: string, live: string): string {
  if (columns.length === 0) return 'false';
  const terms = columns.map((column) => {
    const name = quoteIdentifier(column.name);
    if (column.exactEquality) return `${staged}.${name} is distinct from ${live}.${name}`;
    // The casts keep the parser from comparing the two rows column by column, with each type's own operator.
    return `row(${staged}.${name})::record operator(pg_catalog.*<>) row(${live}.${name}::${column.storageType})::record`;
  });
  return `(${terms.join(' or ')})`;
}

/**
 * A row's 64-bit hash. hash_record_extended is linear in the hashes of the columns, so by itself its sum over rows would
 * not see two rows exchanging a column's values; callers mix it once more (rowLanes) before they add.
 */
export function rowHash(columns: readonly PlanColumn[], alias: string): string {
  const values = columns.map((column) => {
    const value = `${alias}.${quoteIdentifier(column.name)}`;
    if (column.exactEquality) return value;
    // A cast to text takes the blanks from blank-padded types; a collation under which A = a would give both one hash.
    const text = /^(bpchar|character\()/.test(column.storageType) ? `row(${value})::text` : `${value}::text`;
    return `${text} collate "C"`;
  });
  return `hash_record_extended(row(${values.join(', ')}), 1)`;
}

/**
 * Two lanes of a row's hash `h`. Their sums over all rows make a digest that needs no order, can be carried forward by the
 * rows that change, and costs a quarter of an ordered SHA-256: fit to find differences, not to be approved.
 */
export function rowLanes(h: string): readonly [string, string] {
  return [`hashint8extended(${h}, 1)`, `hashint8extended(${h}, 2)`];
}
