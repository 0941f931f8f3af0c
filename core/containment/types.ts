import type { SignedIntent } from '../operators';

/** What a person or a rule asks for. Times in milliseconds. */
export type ContainmentTarget =
  | { readonly strategy: 'isolate-tenant'; readonly tenant: string }
  /** The tenant reads, and none of its writes or jobs goes through. */
  | { readonly strategy: 'read-only'; readonly tenant: string }
  | {
      readonly strategy: 'open-breaker';
      readonly service: string;
      readonly operation: string;
      /** Of this tenant's calls only; empty for the calls that belong to no tenant. */
      readonly tenant: string;
    }
  /** One endpoint of a service gets nothing new; another one takes over, which may be added for it. */
  | {
      readonly strategy: 'drain-endpoint';
      readonly service: string;
      readonly endpoint: string;
      readonly redirect?: string;
    }
  /** A tenant's jobs, a type's, or a type's of a tenant. */
  | { readonly strategy: 'hold-queue'; readonly tenant?: string; readonly type?: string };

export type Strategy = ContainmentTarget['strategy'];

/** What a program asks for. */
export type ContainmentRequest = ContainmentTarget & {
  readonly reason: string;
  /** Such as `15m`; default `containment.for`, at most `containment.longest`. */
  readonly for?: string | number;
  readonly requestedBy?: string;
  /** Name of this request; a name is carried out once. Default: the time. */
  readonly request?: string;
};

/** Argument of the workflow `containment`. */
export interface ContainmentInput {
  readonly target: ContainmentTarget;
  readonly forMs?: number;
  readonly reason: string;
  readonly requestedBy: string;
  /** By a rule: counts against the limit of what rules may contain. */
  readonly automatic?: boolean;
  /** Where operators sign. */
  readonly intent?: SignedIntent;
}

/** One effect with an exact inverse. */
export type ContainmentPart =
  | { readonly kind: 'gate'; readonly tenant: string }
  | { readonly kind: 'hold'; readonly tenant?: string; readonly type?: string }
  | {
      readonly kind: 'breaker';
      readonly service: string;
      readonly operation: string;
      readonly tenant: string;
    }
  | { readonly kind: 'floor'; readonly tenant: string }
  | {
      readonly kind: 'drain';
      readonly service: string;
      readonly endpoint: string;
      readonly redirect?: string;
    };

/** `left`: what was there already does the same or stronger, and is left alone. */
export type PartState = 'planned' | 'applied' | 'left' | 'failed' | 'undone';

/** A containment that stands in the control plane. */
export interface OpenContainment {
  /** `c` and twelve hexadecimal digits. */
  readonly id: string;
  readonly parts: readonly ContainmentPart[];
  readonly leaseMs: number;
  readonly endsInMs: number;
  readonly stopsCore: readonly string[];
  /** Operators sign: a release is verified before it counts. */
  readonly signed?: true;
}

/** What a renewal found. */
export type Renewal =
  | { readonly kind: 'held'; readonly endsInMs: number; readonly failed: readonly string[] }
  /** Its time is over. */
  | { readonly kind: 'over' }
  /** It had lapsed, and another containment has one of its resources now. */
  | { readonly kind: 'superseded'; readonly by: string };

export interface PartOutcome {
  readonly state: Exclude<PartState, 'planned' | 'undone'>;
  readonly note?: string;
}

export type ContainmentOutcome = 'released' | 'expired' | 'superseded' | 'cancelled' | 'failed';

export interface ContainmentReport {
  readonly id: string;
  readonly outcome: ContainmentOutcome;
  readonly by?: string;
  readonly parts: readonly string[];
  /** Parts that could not be applied or undone, and why. */
  readonly notices: readonly string[];
}

/** A containment as it is listed. */
export interface ContainmentRecord {
  readonly id: string;
  readonly workflowId: string;
  readonly target: ContainmentTarget;
  readonly reason: string;
  readonly requestedBy: string;
  readonly automatic: boolean;
  readonly stopsCore: readonly string[];
  readonly state: 'active' | 'lapsed' | 'ended';
  /** ISO 8601, by the control plane's clock. */
  readonly startedAt: string;
  readonly leaseUntil: string;
  readonly endsAt: string;
  readonly endedAt?: string;
  readonly outcome?: string;
  readonly parts: readonly {
    readonly resource: string;
    readonly state: PartState;
    readonly note?: string;
    /** Of a drained endpoint: calls that are still under way there, over all processes that follow. */
    readonly inFlight?: number;
  }[];
}
