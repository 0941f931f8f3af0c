import type { CounterCell } from '../metrics';
import type { AdaptiveState } from './adapt.pure';
import type { LeasedMeter } from './global';
import type { Meter } from './meter/meter';
import type { Rule } from './rule';

export type DecisionCell = CounterCell<'tenant' | 'resource' | 'outcome'>;

/** What the limiter keeps for one resource of one tenant. */
export interface LimitedResource {
  readonly rule: Rule;
  readonly limit: number;
  readonly windowMs: number;
  readonly meter: Meter | LeasedMeter;
  readonly admitted: DecisionCell;
  readonly refused: DecisionCell;
  adaptive: AdaptiveState | undefined;
  /** Refusals since `refusalsSince`, to tell a violation. */
  refusals: number;
  refusalsSince: number;
}
