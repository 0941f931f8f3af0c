import type { EscalationState } from '../core/escalation/types';

/** Names and shapes of what goes in and out of the workflow `escalation`. */

export const escalationWorkflowName = 'escalation';

export const escalationMessageNames = {
  /** Signal without argument: the alert fires, once more. */
  fire: 'fire',
  /** Signal without argument: the alert does not fire any more. */
  resolve: 'resolve',
  /** Update: somebody takes it. */
  acknowledge: 'acknowledge',
  /** Query. */
  status: 'status',
} as const;

/** Value of the search attribute `Capability`. */
export const escalationCapability = 'escalation';

/** Argument of the update `acknowledge`. */
export interface Acknowledgement {
  readonly as: string;
  readonly note?: string;
}

/** Answer of the query `status`, and of the update. */
export interface EscalationStatus {
  readonly id?: string;
  readonly state: EscalationState;
  /** Who has taken it. */
  readonly by?: string;
  /** The level that was told last; 0 when none was. */
  readonly level: number;
  /** How often the alert was told of. */
  readonly times: number;
  /** Silenced now. */
  readonly silenced: boolean;
  readonly notices: readonly string[];
}
