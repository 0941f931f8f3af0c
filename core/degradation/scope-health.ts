import type { Straggler } from './acknowledgement.pure';
import type { Level, Override, Readings, ReadOnly, SignalRule } from './types';

/** What has to change before a level is left. */
export interface WayBack {
  /** Signals that are not well again, or silent though they were heard before. */
  readonly keeping: readonly (SignalRule & { readonly value: number | undefined })[];
  /** Milliseconds still to be watched; undefined while something keeps the level. */
  readonly dwellLeftMs: number | undefined;
  /** Steps back that are free within the hour. */
  readonly budgetLeft: number;
}

/** How a scope is: what the controller sees and what is in force. */
export interface ScopeHealth {
  readonly scope: string;
  readonly level: string;
  readonly rank: number;
  /** All that the level does. */
  readonly strategy: Level;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  readonly override?: Override;
  readonly readOnly?: ReadOnly;
  /** Milliseconds since its controller gave a sign. */
  readonly silentMs: number;
  /** Whether that is within its limit. */
  readonly watched: boolean;
  readonly readings: Readings;
  /** Absent at normal, and while the level is set by hand. */
  readonly wayBack?: WayBack;
  /** Live processes, and those that have not applied the level. */
  readonly processes: number;
  readonly stragglers: readonly Straggler[];
}
