/** critical: wake somebody. warning: look today. info: good to know beside something else. */
export type Severity = 'critical' | 'warning' | 'info';

/** An alert as Prometheus has it. Source: Prometheus, "Alerting rules". */
export interface Alert {
  readonly name: string;
  readonly severity: Severity;
  /** PromQL. */
  readonly expr: string;
  /** How long it has to hold, such as `2m`; at once when absent. */
  readonly for?: string;
  /** What is wrong, with the labels of the alert. */
  readonly summary: string;
  /** What it means exactly and what to do. */
  readonly description: string;
}

/** A series that Prometheus keeps, so that long windows cost little. */
export interface Recording {
  readonly name: string;
  readonly expr: string;
}
