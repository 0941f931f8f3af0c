import type { LevelState, Override, Readings, ReadOnly } from './types';

/** What a scope's level is for everybody, as it stands in the control-plane database. */
export interface PublishedLevel {
  readonly scope: string;
  readonly version: number;
  readonly level: string;
  readonly rank: number;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  readonly override: Override | undefined;
  readonly readOnly: ReadOnly | undefined;
  /** Milliseconds since the controller gave its last sign. */
  readonly silentMs: number;
}

/** What the controller saw last, kept beside the level: for people, and for a controller that takes over. */
export interface Assessment {
  readonly state: LevelState;
  readonly readings: Readings;
}
