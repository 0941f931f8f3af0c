import type { SignedIntent } from '../core/operators/intent/types';

/** Names and shapes of what goes in and out of chaos experiments, for clients in any language. */

export const chaosWorkflowName = 'chaosExperiment';

export const chaosCapability = 'chaos';

export const chaosMessageNames = {
  status: 'status',
  approve: 'approve',
  confirm: 'confirm',
} as const;

export type ChaosPhase =
  | 'checking'
  | 'awaiting-approval'
  | 'steady-state'
  | 'injecting'
  | 'observing'
  | 'rolling-back'
  | 'recovering'
  | 'done';

/** Argument of the updates `approve` and `confirm`. */
export interface ChaosDecision {
  readonly as: string;
  /** Of `confirm`: the step that the status shows; another one is refused. */
  readonly step?: string;
  /** Where operators sign. */
  readonly intent?: SignedIntent;
}

/** Answer of the query `status`. */
export interface ChaosStatus {
  readonly title: string | undefined;
  readonly phase: ChaosPhase;
  /** ISO 8601. */
  readonly since: string;
  readonly faults: readonly string[];
  /** The step that waits for `confirm`, in game-day mode. */
  readonly awaits: string | undefined;
  readonly verdict: string | undefined;
  /** Where operators sign: what the approvers consent to. */
  readonly request?: SignedIntent;
}
