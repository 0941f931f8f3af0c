import type { SignedIntent } from '../operators';
import type { ActivityRun, SteadyState } from './experiment/types';

export type { ActivityRun, SteadyState };

/** Argument of the workflow `chaosExperiment`. */
export interface ChaosRunInput {
  /** Chaos Toolkit's experiment as a JSON object. */
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
  readonly reason?: string;
  /** Says what would be done, checks everything, injects nothing. */
  readonly dryRun?: boolean;
  /** Game day: every step waits for a person's confirmation. */
  readonly confirmEachStep?: boolean;
  /** By what the experiment was chosen, so that the choice can be repeated. */
  readonly seed?: number;
  /** By which schedule it runs. */
  readonly schedule?: ChaosScheduleTerms;
  /** Where operators sign; the consent of others comes with it or later. */
  readonly intent?: SignedIntent;
  readonly approvals?: readonly SignedIntent[];
}

/** When a schedule runs its experiment. */
export interface ChaosScheduleTerms {
  readonly name: string;
  readonly cron?: string;
  readonly rate?: {
    readonly perHour: number;
    readonly hours?: { readonly from: number; readonly to: number };
  };
  readonly blackout?: readonly string[];
  readonly jitterMs?: number;
}

/** A step of the method or a rollback, as the workflow has to know it. */
export interface PlannedStep {
  readonly name: string;
  readonly type: 'probe' | 'action';
  readonly background: boolean;
  readonly pauseBeforeMs: number;
  readonly pauseAfterMs: number;
}

export interface PlannedFault {
  readonly leaseId: string;
  readonly driver: string;
  readonly target: string;
  /** The step of the method after which it is injected; before the method without. */
  readonly after?: string;
}

/** What the first step found: the run's plan, checked against the host's allow-list and the rules of safety. */
export interface PreparedChaos {
  readonly title: string;
  /** Of the host whose journal holds the leases. */
  readonly taskQueue: string;
  readonly faults: readonly PlannedFault[];
  readonly method: readonly PlannedStep[];
  readonly rollbacks: readonly PlannedStep[];
  /** How long the faults stay after the method. */
  readonly durationMs: number;
  /** How long the faults may stay for what has to come true meanwhile; undefined when nothing has to. */
  readonly duringMs?: number;
  /** No fault outlives this, whatever the method takes. */
  readonly deadlineMs: number;
  readonly recoveryMs: number;
  readonly hasHypothesis: boolean;
  readonly needsApproval: boolean;
  /** Where operators sign: how many others have to. */
  readonly signed?: { readonly approvals: number };
  readonly load: boolean;
  /** What would be done, for people. */
  readonly plan: readonly string[];
}

export interface ChaosRunRef {
  /** The workflow's ID. */
  readonly runId: string;
  readonly requestedBy: string;
  /** Where operators sign: every step that disturbs verifies them for itself. */
  readonly intent?: SignedIntent;
  readonly approvals?: readonly SignedIntent[];
}

export interface ChaosStepInput {
  readonly run: ChaosRunRef;
  readonly experiment: ChaosRunInput['experiment'];
  /** On a game day, where operators sign: what lets this step begin. */
  readonly confirmation?: SignedIntent;
}

/** What somebody has decided about a run, as the update says. */
export interface SignedChaosDecision {
  readonly kind: 'approve' | 'confirm';
  readonly as: string;
  /** Of a confirmation. */
  readonly step?: string;
  readonly intent?: SignedIntent;
}

/** Why the faults were ended before their time. */
export interface ChaosAbort {
  readonly kind: 'condition' | 'lease-ended';
  readonly reason: string;
  /** Milliseconds from the check that found it to the proof that every fault was gone. */
  readonly rolledBackAfterMs: number;
}

export interface EndedFault extends PlannedFault {
  /** ISO 8601; empty when it never began. */
  readonly from: string;
  readonly to: string;
  readonly injected: boolean;
  readonly endedBy: string;
  readonly reason: string;
}

/** What was due in one second of a load. */
export interface LoadSecond {
  /** Its begin, ISO 8601. */
  readonly at: string;
  readonly requests: number;
  readonly failed: number;
  readonly p95: number;
  /** Of degradation, the platform's; 0 is normal. */
  readonly level: number;
}

/** Percentiles of a window, in milliseconds; a request that waited for its turn counts from when it was due. */
export interface LoadWindow {
  readonly window: 'before' | 'during' | 'after';
  readonly requests: number;
  readonly failed: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly seconds: readonly LoadSecond[];
}

export type ChaosVerdict =
  /** The steady state held after the faults. */
  | 'passed'
  /** It did not come back: a weakness was found. */
  | 'deviated'
  /** It was not there to begin with; nothing was injected. */
  | 'not-steady'
  | 'aborted'
  | 'failed'
  | 'dry-run';

export interface ChaosFacts {
  readonly verdict: ChaosVerdict;
  readonly startedAt: string;
  readonly faults: readonly EndedFault[];
  readonly before?: SteadyState;
  /** What had to come true while the faults were there. */
  readonly during?: SteadyState;
  readonly after?: SteadyState;
  /** From the faults' end until the steady state held again. */
  readonly recoveredAfterMs?: number;
  readonly runs: readonly ActivityRun[];
  readonly rollbacks: readonly ActivityRun[];
  readonly abort?: ChaosAbort;
  readonly load?: readonly LoadWindow[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly approvedBy?: string;
  readonly confirmations: readonly { readonly step: string; readonly by: string; readonly at: string }[];
}

export interface ChaosReport extends ChaosFacts {
  readonly runId: string;
  readonly title: string;
  readonly endedAt: string;
  readonly requestedBy: string;
  readonly reason?: string;
  readonly seed?: number;
  /** Faults whose end is not proved; the reaper goes on. */
  readonly residual: number;
  /** What a dry run would have done. */
  readonly plan?: readonly string[];
}

/** The activities of the capability `chaos`, by the names under which the workflow calls them. */
export interface ChaosActivities {
  prepareChaos(input: ChaosRunInput): Promise<PreparedChaos>;
  /** A quick no for whoever sends a decision that is not good; what counts is verified again by the steps that disturb. */
  verifyChaosDecision(input: ChaosStepInput & { readonly decision: SignedChaosDecision }): Promise<void>;
  checkSteadyState(input: ChaosStepInput): Promise<SteadyState>;
  injectFault(
    input: ChaosStepInput & { readonly fault: number; readonly leaseId: string; readonly deadlineMs: number },
  ): Promise<PlannedFault>;
  /** Renews the leases and checks the abort conditions each second until it is cancelled; ends the faults itself on an abort. */
  watchFaults(input: ChaosStepInput & { readonly faults: readonly PlannedFault[] }): Promise<ChaosAbort>;
  /** Waits for what has to come true while the faults are there. */
  expectDuring(input: ChaosStepInput & { readonly limitMs: number }): Promise<SteadyState>;
  runChaosStep(
    input: ChaosStepInput & { readonly list: 'method' | 'rollbacks'; readonly index: number },
  ): Promise<ActivityRun>;
  applyLoad(
    input: ChaosStepInput & { readonly window: LoadWindow['window']; readonly durationMs?: number },
  ): Promise<LoadWindow>;
  endFaults(
    input: ChaosStepInput & { readonly faults: readonly PlannedFault[] },
  ): Promise<readonly EndedFault[]>;
  finishChaos(
    input: ChaosStepInput & {
      readonly request: ChaosRunInput;
      readonly facts: ChaosFacts;
      readonly plan?: readonly string[];
    },
  ): Promise<ChaosReport>;
}
