import type { Conflict, TableAttribution } from '../types';

/** What staging found and every later step works from; stored as JSON with the restore's record. */
export interface SlicePlan {
  readonly tenant: string;
  /** This plan undoes that merged restore: only rows that it wrote are compared. */
  readonly undoOf?: string;
  /** SHA-256 over the live catalog's parts that the diff depends on; part of the approved hash. */
  readonly schemaHash: string;
  /** After pg_catalog: where the application's functions and its types' operators are found. */
  readonly searchPath: readonly string[];
  /** Parents before the tables that are reached through them. */
  readonly tables: readonly PlanTable[];
  /** Differences of the schemas that are known before any row is compared. */
  readonly drift: readonly PlanDrift[];
  readonly notices: readonly string[];
  /** Absent when nobody of the tenant was ever erased. */
  readonly erased?: PlanErasures;
}

/** What the staging knows of erasures (core/erasure). */
export interface PlanErasures {
  /** The tenant's last one. */
  readonly upTo: string;
  /** Those that the target did not have, and the staged rows that they concerned. */
  readonly erasures: number;
  readonly rows: number;
}

export type PlanDrift = Pick<Conflict, 'table' | 'message'> & { readonly kind: 'schema-changed' };

export interface PlanTable {
  /** Number of the table within this restore: names its staging, change and pre-image tables. */
  readonly n: number;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly attribution: TableAttribution;
  readonly depth: number;
  /** Type of the tenant column, for attributions by a column. */
  readonly ownerType?: string;
  /** The same at the target, where it differs. */
  readonly ownerTypeAtTarget?: string;
  /** A row can lose its owner: one of the columns that lead to it may be NULL. */
  readonly nullableOwner: boolean;
  /** Empty when the table has no key: its rows are matched by their whole image. */
  readonly key: readonly string[];
  /** Rows that staging copied; a different number later means that the server crashed and emptied it. */
  readonly stagedRows: number;
  /** Staging has no index yet: the tenant had lost all of the table. Whoever looks rows up by their key makes it (index-stage.ts). */
  readonly unindexed?: true;
  /** What was staged from a scratch cluster, as long as nothing moves its rows forward. */
  readonly stagedImage?: StagedImage;
  /** Columns that both sides have: compared, hashed and written. Generated columns are in none of the lists. */
  readonly columns: readonly PlanColumn[];
  /** These columns are staged in COPY's binary format. */
  readonly binaryCopy: boolean;
  /** Every live column that can be written, for pre-images. */
  readonly liveColumns: readonly PlanColumn[];
  readonly addedColumns: readonly string[];
  readonly droppedColumns: readonly string[];
  /** In an undo, the columns that the undone restore compared and wrote: its digests are over these. */
  readonly writtenColumns?: readonly PlanColumn[];
  /** Columns that keep the greater of both values. */
  readonly forward: readonly string[];
}

/** Two digests of a staged table: one to be approved, one to calculate with. */
export interface StagedImage {
  /** SHA-256, hex, of the rows as COPY sent them, in the order in which they lie in the scratch cluster. */
  readonly sha256: string;
  /** Sums of the rows' hash lanes, decimal; see diff/slice-digest.pure.ts. */
  readonly a: string;
  readonly b: string;
}

export interface PlanColumn {
  readonly name: string;
  readonly type: string;
  /** The type a domain stands on, else `type`: staging must hold values that a domain refuses today. */
  readonly storageType: string;
  readonly exactEquality: boolean;
  readonly notNull: boolean;
  readonly identityAlways: boolean;
  readonly sequence?: string;
}
