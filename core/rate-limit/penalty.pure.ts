/** How violations hold a tenant back; times in milliseconds. */
export interface PenaltyPolicy {
  /** Hold after the first violation; each further one doubles it. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** In this time half of the violations are forgotten. */
  readonly halfLifeMs: number;
}

export interface PenaltyState {
  /** Violations, each weighted by its age. */
  readonly score: number;
  readonly at: number;
  /** Everything is refused until then. */
  readonly heldUntil: number;
}

export function scoreAt(state: PenaltyState | undefined, now: number, policy: PenaltyPolicy): number {
  if (state === undefined) return 0;
  return state.score * 0.5 ** (Math.max(0, now - state.at) / policy.halfLifeMs);
}

export function violate(state: PenaltyState | undefined, now: number, policy: PenaltyPolicy): PenaltyState {
  const score = scoreAt(state, now, policy) + 1;
  const hold = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(score - 1, 60));
  return { score, at: now, heldUntil: Math.max(state?.heldUntil ?? 0, now + hold) };
}
