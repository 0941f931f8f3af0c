import type { Decision, Direction, LevelState, Transition } from './types';

/** Who changes a level when nobody did. */
export const CONTROLLER = 'controller';

/** Every change takes the next version, by which late ones are known. */
export function change(
  state: LevelState,
  wanted: {
    readonly to: number;
    readonly direction: Direction;
    readonly reason: string;
    readonly by?: string;
  },
): Decision & { readonly transition: Transition } {
  const version = state.version + 1;
  const { calmSinceMs: _, ...rest } = state;
  const moved = wanted.to === state.rank ? state : { ...rest, sinceMs: state.clockMs };
  return {
    state: { ...moved, rank: wanted.to, version },
    transition: { by: CONTROLLER, ...wanted, version, from: state.rank },
  };
}
