import { createHash } from 'node:crypto';
import type { Attribution } from './attribution.pure';
import type { Catalog } from './catalog-types';

/**
 * SHA-256 over all of the live schema that a diff or a merge relies on: columns, keys, constraints, triggers, types and
 * how tables are attributed. DDL between preview and merge changes it (invariant 11). OIDs are left out, so that a
 * table that was rewritten in place does not count as changed.
 */
export function schemaHash(catalog: Catalog, attribution: Attribution): string {
  const parts = {
    slice: attribution.slice.map(({ table, attribution: how }) => [
      { ...table, oid: 0, columns: table.columns.map((column) => ({ ...column, typeOid: 0 })) },
      how,
    ]),
    keep: attribution.keep.map((table) => [table.schema, table.name, table.foreignKeys]),
    shared: attribution.shared.map((table) => [table.schema, table.name, table.foreignKeys]),
    enums: catalog.enums,
    domains: catalog.domains,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
