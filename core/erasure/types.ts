/** An erasure as restores need it. */
export interface Erasure {
  readonly id: string;
  readonly subjectHash: Buffer;
  /** By the application database's clock, after its rows were erased; undefined while that is not known. */
  readonly erasedAt?: string;
}

/** A tenant's erasures, with what finds their rows. */
export interface ErasuresOfTenant {
  readonly tenant: string;
  readonly salt: Buffer;
  readonly erasures: readonly Erasure[];
}

/** How many rows of a table were erased. */
export interface ErasedRows {
  readonly table: string;
  readonly rows: number;
}

export interface LegalHold {
  readonly id: string;
  readonly tenant: string;
  /** It is about one person; about everybody of the tenant otherwise. */
  readonly ofSubject: boolean;
  readonly placedBy: string;
  readonly reason: string;
  readonly since: string;
}
