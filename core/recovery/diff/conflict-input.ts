import type { Pool } from 'pg';
import { type Catalog, type CatalogTable, tableName } from '../slice/catalog-types';
import type { PlanTable, SlicePlan } from '../slice/plan-types';
import type { ConflictDecision, ConflictKind } from '../types';
import type { ChangesKind } from './changes-name.pure';
import type { ConflictScope } from './conflict-queries.pure';
import type { AllCounts } from './written-rows.pure';

/** Schema of the target, and the scratch cluster itself. */
export interface TargetSource {
  readonly catalog: Catalog;
  readonly scratch: Pool;
}

export interface ConflictInput {
  readonly restoreId: string;
  readonly plan: SlicePlan;
  readonly live: Catalog;
  /** Absent for an undo. */
  readonly target: TargetSource | undefined;
  readonly decisions: readonly ConflictDecision[];
  /** `schema.table` of the tables that belong to all tenants. */
  readonly shared: readonly string[];
  /** `schema.table.column` of the columns whose values are never shown. */
  readonly sensitive: readonly string[];
  readonly kind: ChangesKind;
  readonly counts: AllCounts;
  /** Tables, by number, of which the tenant had no row when they were compared. */
  readonly empty: ReadonlySet<number>;
}

/** One question: which changes of a table are in conflict in this way. */
export interface Question {
  readonly scope: ConflictScope;
  readonly kind: ConflictKind;
  /** SELECT of these changes; see conflict-queries.pure.ts. */
  readonly sql: string;
  readonly message: (rows: number) => string;
  /** Columns whose values are the reason: one of them can be mapped. */
  readonly columns?: readonly string[];
}

export function catalogTable(catalog: Catalog, table: PlanTable): CatalogTable {
  const found = catalog.tables.find((one) => tableName(one) === tableName(table));
  if (found === undefined) throw new RangeError(`${tableName(table)} is gone from the catalog`);
  return found;
}
