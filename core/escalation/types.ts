export type EscalationLevel = 1 | 2 | 3 | 4 | 5;

/** An alert as the workflow keeps it: bounded text, no secrets. Argument of the workflow `escalation`. */
export interface EscalationInput {
  /** Tells alerts apart: the same is the same alert. */
  readonly fingerprint: string;
  readonly severity: string;
  readonly summary: string;
  readonly description?: string;
  /** Address of what to do. */
  readonly runbook?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Who says so: `alertmanager`, `containment`, an operator. */
  readonly source: string;
}

/** One level that is to be told. */
export interface EscalationStep {
  readonly level: number;
  readonly name: string;
  /** How many ways to reach it the configuration has. */
  readonly channels: number;
  /** Milliseconds until the next one is told. */
  readonly waitMs: number;
}

/** What the configuration makes of an alert; empty steps: it is noted and pages nobody. */
export interface EscalationPlan {
  /** `e` and twelve hexadecimal digits. */
  readonly id: string;
  readonly steps: readonly EscalationStep[];
  readonly acknowledgedForMs: number;
}

export type EscalationState = 'open' | 'acknowledged' | 'resolved' | 'unanswered' | 'noted' | 'cancelled';

/** What a page is about. */
export interface PageRef {
  readonly id: string;
  /** Number of the step: levels may be told several times. */
  readonly step: number;
  readonly level: number;
  /** Number of the channel within the level. */
  readonly channel: number;
}

export interface EscalationReport {
  readonly id: string;
  readonly state: EscalationState;
  readonly by?: string;
  /** The highest level that was told; 0 when none. */
  readonly level: number;
  /** How often the alert was told of while it fired. */
  readonly times: number;
}

/** An escalation as it is listed. */
export interface EscalationRecord extends EscalationReport {
  readonly workflowId: string;
  readonly severity: string;
  readonly summary: string;
  readonly runbook?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly source: string;
  /** ISO 8601, by the control plane's clock. */
  readonly openedAt: string;
  readonly endedAt?: string;
  readonly pages: readonly {
    readonly level: number;
    readonly kind: string;
    readonly state: 'sending' | 'sent' | 'failed';
    readonly at: string;
    readonly note?: string;
  }[];
}

export interface Silence {
  readonly id: string;
  /** All of them have to be the alert's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly from: string;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

/** What a channel is told. */
export interface Page {
  readonly id: string;
  /** The same for every attempt of this page: the receiver's to tell a second one by. */
  readonly key: string;
  readonly kind: 'page' | 'acknowledged' | 'resolved';
  readonly level: number;
  readonly levelName: string;
  readonly alert: EscalationInput;
}
