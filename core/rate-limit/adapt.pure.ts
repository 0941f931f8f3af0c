/** What an adaptive limit follows. */
export interface AdaptiveSignals {
  /** Of the system, from 1 (well) to 0 (down); others are clamped, and what is no number counts as 1. */
  readonly health: number;
  /** Decayed violations of the tenant. */
  readonly violations: number;
}

export interface AdaptiveState {
  /** Share of the base limit that is open. */
  readonly scale: number;
  readonly at: number;
}

/** A whole recovery takes 20 s: a system that has just come back is not run over. */
const RISE_PER_MS = 1 / 20_000;

/**
 * Falls at once to what health and behaviour allow and rises again at a bounded rate, the additive increase and
 * multiplicative decrease of congestion control (Chiu and Jain, 1989).
 */
export function adapt(
  state: AdaptiveState | undefined,
  signals: AdaptiveSignals,
  floor: number,
  now: number,
): AdaptiveState {
  const health = Number.isFinite(signals.health) ? Math.min(1, Math.max(0, signals.health)) : 1;
  const wanted = Math.max(floor, health / (1 + Math.max(0, signals.violations)));
  if (state === undefined || wanted <= state.scale) return { scale: wanted, at: now };
  const risen = state.scale + Math.max(0, now - state.at) * RISE_PER_MS;
  return { scale: Math.min(wanted, risen), at: Math.max(now, state.at) };
}
