import type { SignedAct } from '../core/degradation/level-act.pure';
import type { LevelState, Readings } from '../core/degradation/types';

/** Names and shapes of what goes in and out of the workflows of degradation. */

export const degradationWorkflowNames = {
  controller: 'degradationController',
  transition: 'degradationTransition',
} as const;

export const degradationMessageNames = {
  /** Updates. */
  setLevel: 'setLevel',
  releaseLevel: 'releaseLevel',
  setReadOnly: 'setReadOnly',
  endReadOnly: 'endReadOnly',
  /** Query. */
  status: 'status',
} as const;

/** Value of the search attribute `Capability`. */
export const degradationCapability = 'degradation';

/** One controller for each scope, however many try to start it. */
export function controllerWorkflowId(scope: string): string {
  return `degradation/${scope}`;
}

export function transitionWorkflowId(scope: string, version: number): string {
  return `degradation/${scope}/${version}`;
}

export interface ControllerInput {
  readonly scope: string;
  /** Absent when it has to be found out. */
  readonly state?: LevelState;
}

/** Argument of `setLevel`; signed where operators sign. */
export interface SetLevel extends SignedAct {
  readonly level: string;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds from now after which the controller decides again. */
  readonly forMs: number;
}

/** Argument of `releaseLevel` and `endReadOnly`. */
export interface EndByHand extends SignedAct {
  readonly by: string;
  readonly reason: string;
}

/** Argument of `setReadOnly`. */
export interface SetReadOnly extends EndByHand {
  readonly forMs: number;
}

/** Answer of the updates. */
export interface LevelAnswer {
  readonly level: string;
  readonly version: number;
}

/** Answer of the query `status`. */
export interface ControllerStatus {
  readonly state: LevelState | undefined;
  readonly readings: Readings;
  /** Whether the last look at the control plane succeeded. */
  readonly sees: boolean;
}

export interface TransitionReport {
  /** `superseded`: a later change came first. */
  readonly outcome: 'applied' | 'superseded' | 'stragglers';
  readonly processes: number;
  /** Processes that had not applied the level when the time was over, and why. */
  readonly stragglers: readonly { readonly name: string; readonly why: string }[];
}
