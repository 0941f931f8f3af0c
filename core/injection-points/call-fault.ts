/** One call that may be disturbed. */
export interface DisturbedCall {
  /** Service of a protected call, type of a job, action of an activity. */
  readonly service: string;
  readonly operation: string;
  readonly tenant: string;
}

export type CallEffect =
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'error'; readonly message: string }
  /** No answer until the caller gives up or the fault ends. */
  | { readonly kind: 'timeout' }
  /** What `disturbedNow` is off by. */
  | { readonly kind: 'clock-skew'; readonly ms: number };

export interface CallFault {
  readonly id: string;
  /** `*` for all. */
  readonly service: string;
  readonly operation?: string;
  /** All without. */
  readonly tenants?: readonly string[];
  /** Of the calls that fit, 0 to 1. */
  readonly share: number;
  readonly effect: CallEffect;
  /** By `performance.now()`. */
  readonly until: number;
}

export function affects(fault: CallFault, call: DisturbedCall, now: number): boolean {
  return (
    now < fault.until &&
    (fault.service === '*' || fault.service === call.service) &&
    (fault.operation === undefined || fault.operation === call.operation) &&
    (fault.tenants === undefined || fault.tenants.includes(call.tenant))
  );
}
