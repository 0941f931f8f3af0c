import type { ContainmentOutcome, ContainmentTarget } from '../core/containment/types';

/** Names and shapes of what goes in and out of the workflow `containment`. */

export const containmentWorkflowName = 'containment';

export const containmentMessageNames = {
  /** Update: undo everything now. */
  release: 'release',
  /** Query. */
  status: 'status',
} as const;

/** Value of the search attribute `Capability`. */
export const containmentCapability = 'failure-domains';

/** Argument of the update `release`. */
export type { ContainmentRelease } from '../activities/types';

/** Answer of the query `status`. */
export interface ContainmentStatus {
  readonly id?: string;
  readonly target: ContainmentTarget;
  readonly phase: 'starting' | 'applying' | 'holding' | 'undoing' | 'done';
  readonly outcome?: ContainmentOutcome;
  /** Parts that could not be applied or undone, and why. */
  readonly notices: readonly string[];
}
