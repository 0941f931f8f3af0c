/** A probe or an action that was run, as Chaos Toolkit's journal has it. */
export interface ActivityRun {
  readonly activity: Readonly<Record<string, unknown>>;
  readonly status: 'succeeded' | 'failed' | 'skipped';
  readonly output: unknown;
  readonly start: string;
  readonly end: string;
  /** Seconds. */
  readonly duration: number;
  readonly exception?: readonly string[];
  readonly tolerance_met?: boolean;
}

/** What the probes of the hypothesis said, once. */
export interface SteadyState {
  readonly steady_state_met: boolean;
  readonly probes: readonly ActivityRun[];
}
