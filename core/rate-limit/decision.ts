/** The answer to one request. Units of cost and milliseconds. */
export interface Decision {
  readonly allowed: boolean;
  /** The limit in force, an adaptive one as it stands now. */
  readonly limit: number;
  readonly remaining: number;
  /** Until everything admitted so far is forgotten. */
  readonly resetMs: number;
  /** 0 when allowed; Infinity when this cost is above the limit and never fits. */
  readonly retryAfterMs: number;
  readonly windowMs: number;
  readonly reason: DecisionReason;
}

/**
 * `within` and `exceeded`: by the rule. `held`: the tenant is held back for violations. `local-share`: decided by this
 * process's share while the database is away. `waiting`: no lease came in time.
 */
export type DecisionReason = 'within' | 'exceeded' | 'held' | 'local-share' | 'waiting';
