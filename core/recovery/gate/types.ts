/** How a gate tells a tenant's row in one table. */
export type GateCondition =
  /** The table carries the tenant's key. `type` as format_type prints it. */
  | { readonly kind: 'column'; readonly column: string; readonly type: string }
  /**
   * The tenant is found along foreign keys. `sql('new')` is a boolean SQL expression for a PL/pgSQL trigger function;
   * every name in it is schema-qualified, because the function's search_path is pinned to pg_catalog.
   */
  | { readonly kind: 'lookup'; readonly sql: (row: 'old' | 'new') => string };

export interface GateTable {
  readonly schema: string;
  readonly name: string;
  readonly condition: GateCondition;
}

/** How long one try may hold up others, and how often it is tried. */
export interface LockLimits {
  readonly lockTimeoutMs: number;
  readonly attempts: number;
}

export interface FreezeSpec extends LockLimits {
  readonly restoreId: string;
  readonly tenant: string;
  readonly tables: readonly GateTable[];
  /** How long the freeze may last, in milliseconds from now by the application database's clock. */
  readonly untilMs: number;
  /** What refused writers are told, where it is no restore that freezes. */
  readonly refusal?: GateRefusal;
}

export interface GateRefusal {
  readonly message: string;
  readonly hint: string;
}

export type GateState =
  | { readonly kind: 'absent' }
  | {
      /** `arming`: the freeze is being made (or its maker died); not all tables refuse the tenant yet. */
      readonly kind: 'arming' | 'frozen' | 'expired' | 'open';
      readonly tenant: string;
      /** From when on tables refused the tenant. ISO 8601, UTC, microseconds, by the application database's clock. */
      readonly frozenAt: string;
      readonly until: string;
      /** `until` is over, so that the tenant writes whatever `kind` says. */
      readonly past: boolean;
    };
