/** When a component changes between up and down. */
export interface DampingPolicy {
  readonly failAfter: number;
  readonly recoverAfter: number;
  /** Changes older than this are forgotten, in milliseconds. */
  readonly memoryMs: number;
}

/** Kubernetes' probes have the same 3 failures; recovery after 2 because one success may be a lucky one. */
export const DEFAULT_DAMPING: DampingPolicy = { failAfter: 3, recoverAfter: 2, memoryMs: 10 * 60_000 };

/** A flapping component needs at most so many times the usual successes. */
const MOST = 16;

export interface ComponentState {
  readonly up: boolean;
  readonly since: number;
  /** Results in a row that speak for a change. */
  readonly streak: number;
  /** Times at which it went down, within memory. */
  readonly falls: readonly number[];
}

export function initialState(now: number): ComponentState {
  return { up: true, since: now, streak: 0, falls: [] };
}

/** Successes in a row that bring it up: doubled for each fall within memory after the first. */
export function neededToRecover(state: ComponentState, policy: DampingPolicy): number {
  return policy.recoverAfter * Math.min(MOST, 2 ** Math.max(0, state.falls.length - 1));
}

export function observe(
  state: ComponentState,
  ok: boolean,
  now: number,
  policy: DampingPolicy = DEFAULT_DAMPING,
): ComponentState {
  const falls = state.falls.filter((at) => now - at < policy.memoryMs);
  const current = { ...state, falls };
  if (ok === state.up) return { ...current, streak: 0 };
  const streak = state.streak + 1;
  if (state.up && streak >= policy.failAfter)
    return { up: false, since: now, streak: 0, falls: [...falls, now].slice(-MOST) };
  if (!state.up && streak >= neededToRecover(current, policy))
    return { up: true, since: now, streak: 0, falls };
  return { ...current, streak };
}
