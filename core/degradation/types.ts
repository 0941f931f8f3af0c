/** Classes of load from the most to the least important; what is core stands above all of them. */
export type PriorityClass = 'high' | 'normal' | 'low';

/** When a level is entered and left by one signal. */
export interface SignalRule {
  readonly signal: string;
  readonly worse: 'higher' | 'lower';
  readonly enter: number;
  readonly leave: number;
}

/** One level with all that it sheds: its own and what the milder ones shed. */
export interface Level {
  readonly name: string;
  /** Any of them enters, all of them together leave. */
  readonly when: readonly SignalRule[];
  readonly off: readonly string[];
  readonly cacheOnly: readonly string[];
  /** Regular work comes so many times less often. */
  readonly intervals: number;
  /** Share of the usual page size. */
  readonly pageSize: number;
  /** Share of each class's requests that are admitted. */
  readonly limits: Readonly<Record<PriorityClass, number>>;
  /** Classes whose jobs wait. */
  readonly holdJobs: readonly PriorityClass[];
  /** Share of the usual time limits of calls. */
  readonly timeoutScale: number;
}

/** What levels there are and how one follows from another. Plain data: it travels into workflows. Times in milliseconds. */
export interface Policy {
  readonly intervalMs: number;
  readonly dwellMs: number;
  readonly recoveriesPerHour: number;
  readonly staleAfterMs: number;
  readonly silentAfterMs: number;
  readonly slowStartMs: number;
  /** Share of the instances at either end that are left out as outliers. */
  readonly outliers: number;
  readonly core: readonly string[];
  /** By rank; 0 is normal. */
  readonly levels: readonly Level[];
}

/** What one instance saw of one signal, `ageMs` ago. */
export interface Sample {
  readonly signal: string;
  readonly instance: string;
  readonly value: number;
  readonly ageMs: number;
}

/** What the instances together see of a signal that is neither missing nor stale. */
export interface Reading {
  readonly value: number;
  readonly instances: number;
}

/** By signal. One that is missing or stale is not there. */
export type Readings = Readonly<Record<string, Reading>>;

/** A level that a person set. */
export interface Override {
  readonly rank: number;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly until: number;
}

/** Writes are refused. */
export interface ReadOnly {
  /** A person, or `database` where it refuses writes itself. */
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch; one by the database ends when it takes writes again. */
  readonly until?: number;
}

/**
 * What a scope's controller remembers. `clockMs` counts only time that was watched, so that neither a clock that jumps nor a
 * controller that was away shortens a dwell.
 */
export interface LevelState {
  readonly rank: number;
  /** Grows with every change. */
  readonly version: number;
  readonly clockMs: number;
  /** The last decision, milliseconds since the epoch. */
  readonly at?: number;
  /** On `clockMs`: since when this level holds, and since when all is well enough to leave it. */
  readonly sinceMs: number;
  readonly calmSinceMs?: number;
  /** On `clockMs`: the steps back of the last hour. */
  readonly recoveries: readonly number[];
  /** Signals that have ever been heard: silence of these holds the level. */
  readonly seen: readonly string[];
  readonly override?: Override;
  readonly readOnly?: ReadOnly;
  /** On `clockMs`: since when a database that refused writes takes them again. */
  readonly writableSinceMs?: number;
}

export type Direction = 'escalation' | 'recovery' | 'override' | 'release' | 'read-only' | 'writable';

/** A change, to be applied everywhere. */
export interface Transition {
  readonly version: number;
  readonly from: number;
  readonly to: number;
  readonly direction: Direction;
  readonly reason: string;
  /** A person, or `controller`. */
  readonly by: string;
}

export interface Decision {
  readonly state: LevelState;
  readonly transition?: Transition;
}
