/** What stands in the way of a merge, and what a person decided about it. */

export type ConflictKind =
  /** A unique value the target needs is now taken by a row outside the slice. */
  | 'unique-taken'
  /** Rows outside the slice (other tenants, shared or `keep` tables) reference a row that would go. */
  | 'referenced'
  /** The key exists on both sides but belongs to different owners. */
  | 'owner-changed'
  /** A row the target needs references a parent that is gone and is not part of the slice. */
  | 'parent-missing'
  /** A column or type changed since the target so that the old image cannot be written as it was. */
  | 'schema-changed'
  /** A CHECK, NOT NULL or domain constraint added since refuses the old image. */
  | 'constraint-violated'
  /** Undo only: the row was changed again after the restore wrote it. */
  | 'changed-since';

export interface Conflict {
  readonly table: string;
  readonly kind: ConflictKind;
  /** One sentence for the operator; no row values. */
  readonly message: string;
  readonly rows: number;
  readonly decision: 'block' | 'skip' | 'map';
  /** With `map`: the column and its rule, as `--decide` takes them. */
  readonly mapping?: string;
}

/**
 * What a person decided about one class of conflicts in one table: `block` (the default) stops the merge, `skip` leaves
 * the rows as they are, `map` writes them with another value in one column. Rows that are in conflict even as mapped fall
 * to the class's other decision.
 */
export type ConflictDecision =
  | {
      /** `schema.table` as the preview prints it. */
      readonly table: string;
      readonly kind: ConflictKind;
      readonly decision: 'block' | 'skip';
    }
  | {
      readonly table: string;
      readonly kind: MappableKind;
      readonly decision: 'map';
      /** Where the rows in conflict get another value; the others keep theirs. */
      readonly column: string;
      readonly rule: MappingRule;
    };

/** The conflicts whose reason is a value that the target's row would be written with. */
export type MappableKind = 'unique-taken' | 'parent-missing' | 'constraint-violated';

/** Deterministic: the same row gets the same value in every preview and in the merge. */
export type MappingRule =
  | { readonly kind: 'null' }
  /** For columns of text: the row's own value with this before or after it. */
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string }
  /** One value for all rows in conflict, in the text form of the column's type. */
  | { readonly kind: 'value'; readonly text: string };
