/** What a restore would change. */

import type { Conflict } from './conflicts';

export type TableAttribution =
  | { readonly kind: 'tenant-table'; readonly column: string }
  | { readonly kind: 'column'; readonly column: string }
  /** Foreign key from this table towards the tenant; `parent` is `schema.table`. */
  | {
      readonly kind: 'path';
      readonly columns: readonly string[];
      readonly parent: string;
      readonly parentColumns: readonly string[];
    }
  | { readonly kind: 'schema' };

export interface TableChanges {
  readonly table: string;
  readonly attribution: TableAttribution['kind'];
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly unchanged: number;
  /** Columns present on one side only. */
  readonly addedColumns: readonly string[];
  readonly droppedColumns: readonly string[];
}

/**
 * Jobs and requests that were completed after the target: the merge takes their rows back, their records stay, and a person
 * decides about each.
 */
export interface UndoneCounts {
  /** Jobs that ended after the target, or have steps that were completed after it. */
  readonly jobs: number;
  /** Steps of jobs (`ctx.once`). */
  readonly steps: number;
  /** Requests of the IdempotencyManager. */
  readonly requests: number;
}

/** What the workflow carries; bounded, and without any row value. Samples stay in the database. */
export interface RestorePreview {
  readonly restoreId: string;
  readonly tenant: string;
  readonly diffHash: string;
  readonly schemaHash: string;
  readonly tables: readonly TableChanges[];
  readonly totals: {
    readonly insert: number;
    readonly update: number;
    readonly delete: number;
    readonly unchanged: number;
  };
  readonly conflicts: readonly Conflict[];
  /** True when a conflict's decision is `block`: approval would be pointless. */
  readonly blocked: boolean;
  readonly notices: readonly string[];
  /** Erasures after the target, and the rows that do not come back as they were; absent when there are none. */
  readonly erasedAgain?: { readonly erasures: number; readonly rows: number };
  /** What the merge will mark as `effects undone`; absent in an undo. */
  readonly undoneEffects?: UndoneCounts;
  readonly bytesStaged: number;
  readonly estimatedMergeMs: number;
  /** SHA-256 of the tenant's slice, hex: as it is, and as it will be. */
  readonly digestNow: string;
  readonly digestExpected: string;
}
