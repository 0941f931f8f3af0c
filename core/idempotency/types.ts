/** Any value that JSON can express. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What is to happen once. */
export interface IdempotencyRef {
  readonly tenant: string;
  /** Which kind of request; the same key in two scopes is two requests. At most 300 characters. */
  readonly scope: string;
  /** The caller's key. At most 300 characters. */
  readonly key: string;
}

/** The right to carry a request out, held by one owner until its lease lapses and somebody takes over. */
export interface Execution {
  readonly ref: IdempotencyRef;
  readonly owner: string;
  /** Grows with every take-over, for systems outside that can refuse a lower one. */
  readonly fence: number;
}

export type StartAnswer =
  /** Carry it out; `takenOver` when an earlier owner's lease had lapsed, who may have done part of it. */
  | { readonly kind: 'started'; readonly execution: Execution; readonly takenOver: boolean }
  /** Somebody else does it at the moment; `until` (ISO 8601) is when its lease lapses unless renewed. */
  | { readonly kind: 'running'; readonly until: string }
  /** It was done: the recorded result. */
  | { readonly kind: 'completed'; readonly result: Json };

export type CheckAnswer =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'running'; readonly until: string; readonly lapsed: boolean }
  | { readonly kind: 'completed'; readonly result: Json };

/** Something that a person wants to find in the audit log. */
export interface IdempotencyEvent {
  readonly kind: 'replayed' | 'rejected' | 'taken-over';
  readonly ref: IdempotencyRef;
  readonly fence: number;
}
